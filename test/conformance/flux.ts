/** `npm run conformance -- --uri URI [--shell SERVICE]`: the suite on a broker that runs. Not a test file of `npm test`: CI has no Flux. */
import { conformance } from "./suite.js";

const uri = process.env.FLUX_CONFORMANCE_URI;
if (!uri) throw new Error("no broker: npm run conformance -- --uri local:///path/to/socket");
conformance(uri, uri, process.env.FLUX_CONFORMANCE_SHELL);
