import { conformance } from "./suite.js";

conformance("the embedded broker", undefined);
