/** The permissions of a watch: one poll for many must not show more to a client than its token does. */
import { firstValueFrom } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  clientSigner,
  connect,
  type Flux,
  list,
  rexecBg,
  type WatchOptions,
  watch,
} from "../../src/index.js";
import { ALL, GUEST, goodClaims, type ProxyKind, World } from "../security/world.js";
import { uniqueLabel } from "../support/process.js";

describe("watch: permissions", () => {
  let world: World;
  const handles: Flux[] = [];
  const label = `mine-${uniqueLabel()}`;

  const open = async (claims: object, kind: ProxyKind = "plain", options = {}) => {
    const flux = connect(world.url(kind), {
      token: await world.token({ ...goodClaims(), ...claims }),
      ...options,
    });
    handles.push(flux);
    return flux;
  };
  const details = (fields: object) => ({
    scope: ALL,
    authorization_details: [{ type: "flux_subprocess", actions: ["list"], ...fields }],
  });
  const see = async (flux: Flux, options: WatchOptions = {}) => {
    const { processes, errors } = await firstValueFrom(watch(flux, options));
    return {
      shown: processes.map(({ rank, label }) => `${rank} ${label === "-" ? "" : label}`.trim()),
      errors: errors.map(({ rank, code, reason }) => `${rank} ${code} ${reason}`),
    };
  };

  beforeAll(async () => {
    world = await World.start();
    const flux = await open({});
    await rexecBg(flux, ["sleep", "60"], { label, nodeid: 1 }).get();
    await rexecBg(flux, ["sleep", "60"], { nodeid: 1 }).get();
    await rexecBg(flux, ["sleep", "60"], { nodeid: 2 }).get();
  });
  afterAll(async () => {
    for (const flux of handles) flux.close();
    await world.close();
  });

  it("are those of each token, whatever others watch", async () => {
    const all = watch(await open({})).subscribe({ error: () => {} });
    expect((await see(await open({}))).shown.sort()).toEqual(["1", `1 ${label}`, "2"]);
    expect(await see(await open(details({ labels: ["mine-*"] })))).toEqual({
      shown: [`1 ${label}`],
      errors: [],
    });
    expect(await see(await open(details({ ranks: "2" })))).toEqual({
      shown: ["2"],
      errors: [0, 1, 3].map((rank) => `${rank} EPERM token does not allow list: ranks`),
    });
    expect(await see(await open({ scope: "exec watch" }), { nodeid: 1 })).toEqual({
      shown: [],
      errors: ["1 EPERM token does not allow list: scope"],
    });
    expect((await see(await open(details({ services: ["sdexec"] })), { nodeid: 1 })).shown).toEqual([]);
    all.unsubscribe();
  });

  it("of a guest are the broker's to decide, in the guest's name, beside the owner's", async () => {
    const owner = watch(await open({}, "gateway")).subscribe({ error: () => {} });
    const guest = await open({ uid: GUEST, sub: "guest" }, "gateway");
    await firstValueFrom(watch(await open({}, "gateway")));
    const seen = await see(guest, { sign: false, nodeid: 1 });
    expect(seen.shown).toEqual([]);
    const refused = await list(guest, { nodeid: 1, sign: false })
      .get()
      .catch((error) => error.code);
    expect(seen.errors.map((error) => error.split(" ")[1])).toEqual([refused]);
    owner.unsubscribe();
  });

  it("of a job shell need a signature: the proxy's, or the client's", async () => {
    const [guestShell, myShell] = world.broker.shells as [string, string];
    const mine = await see(await open({}, "signing"), { service: myShell, nodeid: 0, sign: true });
    expect(mine).toEqual({ shown: [], errors: [] });
    const unsigned = await see(await open({}, "signing"), { service: myShell, nodeid: 0 });
    expect(unsigned.errors).toHaveLength(1);
    const guest = await open({ uid: GUEST, sub: "guest" }, "gateway");
    expect((await see(guest, { service: guestShell, nodeid: 0 })).errors).toEqual([
      `0 EPERM the proxy cannot sign for user ${GUEST}`,
    ]);
    const signer = await world.guest.signer();
    const signing = await open({ uid: GUEST, sub: "guest" }, "gateway", { signer: clientSigner(signer) });
    await rexecBg(signing, ["sleep", "60"], { service: guestShell, label: "job", nodeid: 0 }).get();
    expect(await see(signing, { service: guestShell, nodeid: 0 })).toEqual({ shown: ["0 job"], errors: [] });
    expect(await list(signing, { service: guestShell, nodeid: 0 }).getProcesses()).toHaveLength(1);
    // A client with a token of the guest and without the key sees nothing, though another with the key watches.
    const both = watch(signing, { service: guestShell, nodeid: 0 }).subscribe();
    const stolen = await open({ uid: GUEST, sub: "guest" }, "gateway");
    expect(await see(stolen, { service: guestShell, nodeid: 0, sign: false })).toEqual({
      shown: [],
      errors: ["0 EPERM request signature required"],
    });
    const forged = await open({ uid: GUEST, sub: "guest" }, "gateway", {
      signer: clientSigner({ ...(await world.me.signer({ userid: GUEST })) }),
    });
    expect(await see(forged, { service: guestShell, nodeid: 0 })).toEqual({
      shown: [],
      errors: ["0 EPERM signature verification failed"],
    });
    both.unsubscribe();
  });
});
