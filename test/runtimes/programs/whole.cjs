// The same as whole.mjs, in CommonJS.
const { collect, connect, exec } = require("flux-subprocess");
const { startEmbeddedBroker } = require("flux-subprocess/embedded");
const { createProxy, generateKeys, signToken } = require("flux-subprocess/proxy");
const { firstValueFrom } = require("rxjs");

(async () => {
  const claims = { issuer: "https://issuer.test", audience: "flux-subprocess" };
  const { privateJwk, jwks } = await generateKeys();
  const token = await signToken(privateJwk, { ...claims, subject: "tester", ttlSeconds: 60 });
  const broker = await startEmbeddedBroker({ size: 1 });
  const proxy = await createProxy({ uri: broker.uri, jwks, ...claims });
  const flux = connect(proxy.url, { token });
  const { stdout } = await firstValueFrom(exec(flux, ["echo", "hello"]).pipe(collect()));
  console.log(new TextDecoder().decode(stdout).trim());
  flux.close();
  await proxy.close();
  await broker.close();
})();
