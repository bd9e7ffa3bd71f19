// The client in CommonJS. The argument is the world, as JSON.
const { collect, connect, exec } = require("flux-subprocess");
const { firstValueFrom } = require("rxjs");

const { url, token } = JSON.parse(process.argv[2]);
const flux = connect(url, { token });
firstValueFrom(exec(flux, ["echo", "hello"]).pipe(collect())).then(({ stdout }) => {
  console.log(new TextDecoder().decode(stdout).trim());
  flux.close();
});
