// An independent judge of our signed documents. Reads {"document": <JWS in general JSON serialization>,
// "keys": [<JWK with kid>, ...]} from standard input and says of each signature, in order, what `jose` makes of it
// and, for ML-DSA-65, what `@noble/post-quantum` does. A verdict is true, false, or null where a judge does not
// know the algorithm.
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { base64url, flattenedVerify, importJWK } from "jose";
import { text } from "node:stream/consumers";

const { document, keys } = JSON.parse(await text(process.stdin));

async function joseVerdict(signature, jwk, alg) {
  try {
    const key = await importJWK(jwk, alg);
    await flattenedVerify({ payload: document.payload, ...signature }, key, { algorithms: [alg] });
    return true;
  } catch (error) {
    if (error.code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED") return false;
    throw error;
  }
}

function nobleVerdict(signature, jwk, alg) {
  if (alg !== "ML-DSA-65") return null;
  const signed = new TextEncoder().encode(`${signature.protected}.${document.payload}`);
  return ml_dsa65.verify(base64url.decode(signature.signature), signed, base64url.decode(jwk.pub));
}

const verdicts = [];
for (const signature of document.signatures) {
  const { alg, kid } = JSON.parse(new TextDecoder().decode(base64url.decode(signature.protected)));
  const jwk = keys.find((key) => key.kid === kid);
  verdicts.push({
    alg,
    jose: await joseVerdict(signature, jwk, alg),
    noble: nobleVerdict(signature, jwk, alg),
  });
}
console.log(JSON.stringify(verdicts));
