import { describe, expect, test } from "vitest";
import { type CurveCertificate, plainCertificate } from "../../../../src/signing/curve-certificate.js";
import {
  formatCertificateFile,
  formatSecretFile,
  parseCertificateFile,
  parseSecretFile,
} from "../../../../src/signing/curve-files.js";
import type { KvValue } from "../../../../src/signing/kv.js";
import { curveJwk } from "./vectors.js";

const PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const SIG_PUB = `[metadata]
    algorithm = "ed25519"

[curve]
    public-key = "${PUBLIC_KEY}"
`;

const full: CurveCertificate = {
  metadata: new Map<string, KvValue>([
    ["algorithm", { type: "s", value: "ed25519" }],
    ["domain", { type: "s", value: "EXAMPLE # TEST = ƒ" }],
    ["userid", { type: "i", value: -9223372036854775808n }],
    ["share", { type: "d", value: 0.5 }],
    ["ca-capability", { type: "b", value: true }],
    ["xtime", { type: "t", value: 1692370785 }],
  ]),
  publicKey: PUBLIC_KEY,
  signature: Buffer.alloc(64, 7).toString("base64"),
};

describe("sig.pub", () => {
  test("is written as flux-security writes it, and read again", () => {
    expect(formatCertificateFile(plainCertificate(PUBLIC_KEY))).toBe(SIG_PUB);
    expect(parseCertificateFile(SIG_PUB)).toEqual({ ...plainCertificate(PUBLIC_KEY), signature: undefined });
  });

  test("keeps metadata of every type, its order, and a CA's signature", () => {
    const read = parseCertificateFile(formatCertificateFile(full));
    expect(read).toEqual(full);
    expect([...read.metadata.keys()]).toEqual([...full.metadata.keys()]);
  });

  test("may have comments, spaces, other line ends and other keys", () => {
    const text = `# mine\r\n[ metadata ] # facts\r\nalgorithm="ed25519"# "so"\r\n\r\n[curve]\r\n\tpublic-key =  "${PUBLIC_KEY}"\r\nother = 1\r\n[more]\r\n`;
    expect(parseCertificateFile(text)).toEqual(parseCertificateFile(SIG_PUB));
  });

  test.each([
    ["nothing", "", "no [metadata]"],
    ["no metadata", "[curve]\n", "no [metadata]"],
    ["no curve", "[metadata]\n", "no [curve]"],
    ["no key", "[metadata]\n[curve]\n", "no public-key"],
    ["a key that is a number", "[metadata]\n[curve]\npublic-key = 1\n", "no public-key"],
    ["a key that is not base64", SIG_PUB.replace("11qY", "!"), "not base64"],
    ["a key cut short", SIG_PUB.replace("11qY", ""), "not 32 bytes"],
    ["a bad CA signature", `${SIG_PUB}signature = "AAAA"\n`, "not 64 bytes"],
    ["a table twice", `${SIG_PUB}[curve]\n`, "line 6 is not understood"],
    ["a key twice", SIG_PUB.replace("\n\n", '\nalgorithm = "x"\n\n'), "line 3 is not understood"],
    ["a key before all tables", `a = 1\n${SIG_PUB}`, "line 1 is not understood"],
    ["a dotted key", SIG_PUB.replace("\n\n", "\na.b = 1\n\n"), "line 3 is not understood"],
    ["an array", SIG_PUB.replace("\n\n", "\na = [1]\n\n"), "line 3 is not understood"],
    ["an escape", SIG_PUB.replace("\n\n", '\na = "\\n"\n\n'), "line 3 is not understood"],
    ["a text that does not end", SIG_PUB.replace("\n\n", '\na = "b\n\n'), "line 3 is not understood"],
    ["an integer of 65 bits", SIG_PUB.replace("\n\n", "\na = 9223372036854775808\n\n"), "line 3 is not"],
    ["a bad time", SIG_PUB.replace("\n\n", "\na = 2023-13-01T00:00:00Z\n\n"), "line 3 is not understood"],
    ["a word", SIG_PUB.replace("\n\n", "\na = yes\n\n"), "line 3 is not understood"],
  ])("with %s is refused", (_, text, message) => {
    expect(() => parseCertificateFile(text)).toThrow(TypeError);
    expect(() => parseCertificateFile(text)).toThrow(message);
  });

  test.each<[string, KvValue]>([
    ["a.b", { type: "i", value: 1n }],
    ["", { type: "i", value: 1n }],
    ["quote", { type: "s", value: 'a"b' }],
    ["line", { type: "s", value: "a\nb" }],
    ["inf", { type: "d", value: Number.POSITIVE_INFINITY }],
    ["big", { type: "i", value: 2n ** 63n }],
  ])("cannot hold metadata %j", (key, value) => {
    const certificate = { ...full, metadata: new Map([[key, value]]) };
    expect(() => formatCertificateFile(certificate)).toThrow(TypeError);
  });
});

describe("sig", () => {
  const SIG = `[curve]
    secret-key = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg=="
`;

  test("holds the seed and the public key, and gives the JWK again", () => {
    expect(formatSecretFile(curveJwk)).toBe(SIG);
    expect(parseSecretFile(SIG)).toEqual(curveJwk);
  });

  test("refuses a file that is not a private key", () => {
    expect(() => formatSecretFile({ ...curveJwk, d: undefined })).toThrow(TypeError);
    expect(() => formatSecretFile({ ...curveJwk, d: "AAAA" })).toThrow(TypeError);
    expect(() => parseSecretFile("")).toThrow("no secret-key");
    expect(() => parseSecretFile('[curve]\nsecret-key = "AAAA"\n')).toThrow("secret-key is not 64 bytes");
  });
});
