// All parts of the package in one Node process: broker, proxy and client.
import { collect, connect, exec, FluxError } from "flux-subprocess";
import { startEmbeddedBroker } from "flux-subprocess/embedded";
import { createProxy, generateKeys, FluxError as ProxyError, signToken } from "flux-subprocess/proxy";
import { firstValueFrom } from "rxjs";

const claims = { issuer: "https://issuer.test", audience: "flux-subprocess" };
const { privateJwk, jwks } = await generateKeys();
const token = await signToken(privateJwk, { ...claims, subject: "tester", ttlSeconds: 60 });
const broker = await startEmbeddedBroker({ size: 1 });
const proxy = await createProxy({ uri: broker.uri, jwks, ...claims });
const flux = connect(proxy.url, { token });
const { stdout } = await firstValueFrom(exec(flux, ["echo", "hello"]).pipe(collect()));
if (FluxError !== ProxyError) throw new Error("the package has two FluxError classes");
console.log(new TextDecoder().decode(stdout).trim());
flux.close();
await proxy.close();
await broker.close();
