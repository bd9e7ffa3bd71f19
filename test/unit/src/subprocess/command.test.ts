import { describe, expect, it } from "vitest";
import { type CommandOptions, commandCreate } from "../../../../src/index.js";

describe("commandCreate", () => {
  it("has all that RFC 42 asks for, and the server's environment and directory", () => {
    expect(commandCreate(["ls", "-l", ""])).toEqual({
      cmdline: ["ls", "-l", ""],
      env: {},
      opts: {},
      channels: [],
    });
  });

  it("has all that it is given", () => {
    const options = { label: "l", cwd: "/tmp", env: { A: "" }, opts: { x: "1" }, channels: ["C"] };
    expect(commandCreate(["a"], options)).toEqual({ cmdline: ["a"], ...options });
  });

  it("is a copy, to the last part", () => {
    const command = ["a"];
    const options = { env: { A: "1" }, opts: { x: "1" }, channels: ["C"] };
    const created = commandCreate(command, options);
    command.push("b");
    options.env.A = "2";
    options.opts.x = "2";
    options.channels.push("D");
    expect(created).toEqual({ cmdline: ["a"], env: { A: "1" }, opts: { x: "1" }, channels: ["C"] });
  });

  it("takes names of an env from JSON like any other", () => {
    const env = JSON.parse('{"__proto__":"x","constructor":"y","A":"z"}');
    const created = commandCreate(["a"], { env });
    expect(Object.entries(created.env)).toEqual(Object.entries(env));
    expect(Object.getPrototypeOf(created.env)).toBe(Object.prototype);
    expect(JSON.stringify(created.env)).toBe('{"__proto__":"x","constructor":"y","A":"z"}');
  });

  it.each([
    [[], {}, "command is an array of at least one string"],
    ["ls", {}, 'command is an array of words, such as ["ls", "-l"], not "ls"'],
    [undefined, {}, "command is an array of at least one string"],
    [["a", 1], {}, "an argument is not a string"],
    [["a\0"], {}, "an argument has a NUL character"],
    [["a"], { label: "" }, "label is empty"],
    [["a"], { label: 1 }, "label is not a string"],
    [["a"], { label: "\0" }, "label has a NUL character"],
    [["a"], { cwd: "" }, "cwd is empty"],
    [["a"], { env: { "": "x" } }, "a name in env is empty"],
    [["a"], { env: { "A=B": "x" } }, 'a name in env has a "=": "A=B"'],
    [["a"], { env: { A: 1 } }, "env.A is not a string"],
    [["a"], { env: { A: undefined } }, "env.A is not a string"],
    [["a"], { env: { A: "\0" } }, "env.A has a NUL character"],
    [["a"], { opts: { x: null } }, "opts.x is not a string"],
    [["a"], { channels: [""] }, "a name in channels is empty"],
    [["a"], { channels: ["x".repeat(256)] }, "a name in channels is longer than 255 bytes"],
    [["a"], { channels: ["é".repeat(128)] }, "a name in channels is longer than 255 bytes"],
  ])("refuses %j with %j", (command, options, message) => {
    expect(() => commandCreate(command as string[], options as CommandOptions)).toThrow(
      new TypeError(message),
    );
  });
});
