// A device (docs/device-guide.md) in Node 20 or later with the package `jose`:
//   node device.mjs fetch | install FILE.lic | return GRANT... | return '*' | verify
// Environment: PORTAL (its address), IDENTITY (folder with key.pem and chain.pem), ROOTS (the portal's roots,
// pinned at the factory), STATE (a folder outside the exported configuration, kept over factory resets). It requires
// Ed25519 signatures only: not every Node knows ML-DSA-65. Real firmware requires both.
import { CompactSign, base64url, flattenedVerify, importJWK } from "jose";
import { X509Certificate, createHash, createPrivateKey, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
const { PORTAL, IDENTITY, ROOTS, STATE } = process.env;
const key = createPrivateKey(readFileSync(`${IDENTITY}/key.pem`));
const pems = readFileSync(`${IDENTITY}/chain.pem`, "utf8").match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g);
const chain = pems.map((pem) => new X509Certificate(pem));
const me = /^serialNumber=(.+)$/m.exec(chain[0].subject)[1];
const kind = key.asymmetricKeyDetails.namedCurve ?? key.asymmetricKeyType;
// The algorithm follows from the key; for RSA it could be PS256 as well.
const alg = { prime256v1: "ES256", secp384r1: "ES384", rsa: "RS256", ed25519: "Ed25519" }[kind];
const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const state = existsSync(`${STATE}/state.json`)
  ? read(`${STATE}/state.json`)
  : { seq: 0, minSeq: 0, ctr: 0, tombstones: {}, keySet: { version: 0, roots: read(ROOTS).roots } };
function save() { // all in one durable write: after a crash it is the state before or the state after
  mkdirSync(STATE, { recursive: true });
  writeFileSync(`${STATE}/state.json.new`, JSON.stringify(state), { flush: true });
  renameSync(`${STATE}/state.json.new`, `${STATE}/state.json`);
}
const must = (condition, otherwise) => { if (!condition) throw new Error(otherwise); };
// JSON.parse takes the last of two members of one name. What is signed has none; firmware refuses them.
const decoded = (text) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(base64url.decode(text)));
// generalVerify() of jose is content with one good signature. Here every signature by a known key must hold, and
// each algorithm that the firmware requires must be among them: a missing signature is not a smaller proof.
async function verified(document, typ, keys) {
  let good = 0;
  for (const signature of document.signatures) {
    const header = decoded(signature.protected);
    must(header.typ === typ, `it is signed as ${header.typ}, not as ${typ}`);
    const jwk = keys.find(({ kid, crv }) => kid === header.kid && crv === "Ed25519");
    if (!jwk) continue;
    const publicKey = await importJWK({ kty: jwk.kty, crv: jwk.crv, x: jwk.x }, "Ed25519");
    await flattenedVerify({ payload: document.payload, ...signature }, publicKey, { algorithms: ["Ed25519"] });
    good += 1;
  }
  must(good > 0, `no known key signed the ${typ}`);
  return decoded(document.payload);
}
// A compromised key counts for nothing, whenever it signed.
const keysFor = (typ) => state.keySet.keys.filter((jwk) => jwk.typ.includes(typ) && !("compromised_at" in jwk));
async function takeKeySets(bundle) { // each is signed by the roots of the one before it, and by its own
  for (const link of [...bundle.chain, ...(bundle.keyset ? [bundle.keyset] : [])]) {
    const next = decoded(link.payload);
    if (next.version <= state.keySet.version) continue; // never go back
    await verified(link, "jwk-set+jwt", state.keySet.roots);
    state.keySet = await verified(link, "jwk-set+jwt", next.roots);
  }
}
async function install(bundle) { // verify in the guide's order; it takes effect at the next reset
  await takeKeySets(bundle);
  const license = await verified(bundle.license, "lic+jws", keysFor("lic+jws"));
  must(license.iss === state.keySet.iss, "it is of another portal");
  must(license.sub === me, "it is for another device");
  must(license.seq >= state.minSeq, `document ${license.seq} is older than ${state.minSeq}, which was installed`);
  must(license.seq > state.seq || state.installed?.license.payload === bundle.license.payload, "two of one seq");
  for (const [id, until] of Object.entries(state.tombstones)) if (license.seq >= until) delete state.tombstones[id];
  Object.assign(state, { installed: bundle, seq: license.seq, minSeq: license.seq });
  save();
}
async function call(door, typ, payload) { // sign and send; sign again, once, if the nonce was too old
  const { urls } = await (await fetch(`${PORTAL}/device/v1/directory`)).json();
  let answer = await fetch(urls.nonce, { method: "HEAD" });
  for (const last of [false, true]) {
    // x5c is base64 of DER with padding, the device's own certificate first, the root left out.
    const x5c = chain.map(({ raw }) => raw.toString("base64"));
    const header = { alg, typ, x5c, nonce: answer.headers.get("replay-nonce"), url: urls[door] };
    const body = await new CompactSign(payload).setProtectedHeader(header).sign(key);
    answer = await fetch(urls[door], { method: "POST", headers: { "Content-Type": "application/jose" }, body });
    const result = await answer.json();
    if (answer.ok) return result;
    if (last || result.code !== "bad-nonce") throw Object.assign(new Error(JSON.stringify(result)), result);
  }
}
async function statement(members) { // the portal's name is the key set's; before the first fetch the directory's
  const aud = state.keySet.iss ?? (await (await fetch(`${PORTAL}/device/v1/directory`)).json()).portal;
  const jti = randomBytes(16).toString("base64url");
  return Buffer.from(JSON.stringify({ ver: 1, iss: me, sub: me, aud, jti, seq: state.seq, ...members }));
}
const listed = () => (state.installed ? decoded(state.installed.license.payload).items : []);
async function giveBack(grants, minSeq) {
  if (!state.pending) { // one without an answer goes first, with the very same payload bytes
    const ids = grants[0] === "*" ? listed().map(({ id }) => id) : grants;
    for (const id of ids) state.tombstones[id] = Number.MAX_SAFE_INTEGER;
    Object.assign(state, { ctr: state.ctr + 1, minSeq });
    state.pending = (await statement({ ctr: state.ctr, grants, min_seq: minSeq })).toString("base64");
    save();
  } // A real device resets here, so that nothing it gives back is in effect; only then does it sign.
  const payload = Buffer.from(state.pending, "base64");
  const answer = await call("returns", "lic-return+jws", payload);
  await takeKeySets(answer.bundle);
  const receipt = await verified(answer.receipt, "lic-receipt+jws", keysFor("lic-receipt+jws"));
  must(receipt.ret_sha256 === createHash("sha256").update(payload).digest("base64url"), "a receipt for another");
  for (const { id, r } of receipt.results) {
    state.tombstones[id] = receipt.next_seq;
    if (r === "kept" || r === "unknown") delete state.tombstones[id];
    console.log(`${id}\t${r}`);
  }
  delete state.pending;
  await install(answer.bundle);
}
const [command, ...words] = process.argv.slice(2);
if (command === "fetch") await install(await call("licenses", "lic-fetch+jws", await statement({})));
if (command === "install") await install(read(words[0]));
if (command === "return") {
  await giveBack(words, words[0] === "*" ? state.seq + 1 : state.minSeq).catch((refusal) => {
    if (refusal.code !== "stale-return") throw refusal;
    delete state.pending; // it changed nothing: sign another one, with the number that the portal names
    return giveBack(words, refusal.min_seq);
  });
}
if (command === "verify") await install(state.installed); // and say what counts: id, product, version, quantity
const counts = ({ id }) => command === "verify" && !(id in state.tombstones);
for (const { id, product, version, qty } of listed().filter(counts)) console.log(`${id}\t${product}\t${version}\t${qty}`);
