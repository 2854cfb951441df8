#!/usr/bin/env bash
# A device (docs/device-guide.md) in bash: device.sh fetch | install FILE.lic | return GRANT... | verify
# Environment: PORTAL (its address), IDENTITY (folder with key.pem, P-256, and chain.pem), ROOTS (the portal's
# roots, pinned at the factory), STATE (a folder outside the exported configuration, kept over factory resets).
# It requires Ed25519 signatures only, since this openssl knows no ML-DSA-65. Real firmware requires both.
set -euo pipefail
WORK=$(mktemp -d) && trap 'rm -rf "$WORK"' EXIT
die() { echo "$*" >&2 && exit 1; }
b64u() { basenc --base64url -w 0 | tr -d =; }
unb64u() { awk '{ while (length($0) % 4) $0 = $0 "="; printf "%s", $0 }' | basenc --base64url -d; }
keep() { cat >"$STATE/$1.new" && sync "$STATE/$1.new" && mv "$STATE/$1.new" "$STATE/$1" && sync "$STATE"; }
kept() { if [ -e "$STATE/$1" ]; then cat "$STATE/$1"; else echo 0; fi; } # a number
# JSON to lines "path<TAB>value". Lax: only signed bytes are believed, and the portal signs strict JSON.
flat() {
  { grep -oE '"([^"\\]|\\.)*"|-?[0-9]+|true|false|null|[][{},]' || true; } | awk '
    function path() { return base[d] "." (kind[d] == "{" ? key[d] : at[d]) }
    /^[{[]$/ { b = d ? path() : ""; base[++d] = b; kind[d] = $0; at[d] = 0; name = $0 == "{"; next }
    /^[]}]$/ { d--; name = 0; next } /^,$/ { at[d]++; name = kind[d] == "{"; next }
    name     { key[d] = substr($0, 2, length($0) - 2); name = 0; next }
             { gsub(/^"|"$/, ""); print path() "\t" $0 }'
}
value() { awk -F '\t' -v path="$2" '$1 == path { print $2 }' "$1"; }          # FLAT PATH
parts() { sed -nE "s/^(${2//./\\.}\.$3\.[0-9]+)\.$4\t.*/\1/p" "$1"; }         # FLAT PATH LIST MEMBER: who has it
keys() { local at typs # FLAT LIST [TYP]: "kid x" of each Ed25519 key that may sign TYP and was not compromised
  for at in $(parts "$1" "" "$2" x); do
    typs=$(sed -n "s/^${at//./\\.}\.typ\.[0-9]*\t//p" "$1")
    [ -z "${3-}" ] || grep -qxF "$3" <<<"$typs" || continue
    [ -n "$(value "$1" "$at.compromised_at")" ] || echo "$(value "$1" "$at.kid") $(value "$1" "$at.x")"
  done
}
# verified FLAT PATH TYP KEYS: print the payload of the signed document at PATH. Every signature by a known key
# must hold, and there must be one: a missing signature is not a smaller proof, it is none.
verified() { local at key good=0
  for at in $(parts "$1" "$2" signatures protected); do
    value "$1" "$at.protected" | unb64u | flat >"$WORK/header"
    [ "$(value "$WORK/header" .typ)" = "$3" ] || die "$2 is not signed as $3"
    key=$(awk -v kid="$(value "$WORK/header" .kid)" '$1 == kid { print $2 }' <<<"$4")
    [ -n "$key" ] || continue
    [ "$(value "$WORK/header" .alg)" = Ed25519 ] || die "$2 names another algorithm than the key's"
    # RFC 8410: what stands before the 32 bytes of an Ed25519 public key in DER.
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000' && unb64u <<<"$key"; } >"$WORK/key.der"
    printf '%s.%s' "$(value "$1" "$at.protected")" "$(value "$1" "$2.payload")" >"$WORK/signed"
    value "$1" "$at.signature" | unb64u >"$WORK/signature"
    openssl pkeyutl -verify -pubin -inkey "$WORK/key.der" -keyform DER -rawin -in "$WORK/signed" \
      -sigfile "$WORK/signature" >/dev/null && good=1 || die "a signature of $2 does not verify"
  done
  [ "$good" = 1 ] || die "no known key signed $2"
  value "$1" "$2.payload" | unb64u
}
# key_sets FLAT PATH: keep the newest key set of the bundle at PATH. Each is signed by the roots of the one before
# it, at first the pinned ones, and by its own. Those up to the one held are passed over: never go back.
key_sets() { local link
  for link in $(parts "$1" "$2" chain payload) "$2.keyset"; do
    value "$1" "$link.payload" | unb64u | flat >"$WORK/next"
    [ "$(value "$WORK/next" .version | grep . || echo 0)" -gt "$(value "$STATE/keyset" .version)" ] || continue
    verified "$1" "$link" jwk-set+jwt "$(keys "$STATE/keyset" roots)" >/dev/null
    verified "$1" "$link" jwk-set+jwt "$(keys "$WORK/next" roots)" >/dev/null
    keep keyset <"$WORK/next"
  done
}
install() { # FILE: verify a bundle in the guide's order and keep it, to take effect at the next reset
  [ "$(wc -c <"$1")" -le 262144 ] || die "the bundle is too large"
  flat <"$1" >"$WORK/bundle" && key_sets "$WORK/bundle" ""
  verified "$WORK/bundle" .license lic+jws "$(keys "$STATE/keyset" keys lic+jws)" >"$WORK/license.json"
  flat <"$WORK/license.json" >"$WORK/license" && local seq && seq=$(value "$WORK/license" .seq)
  [ "$(value "$WORK/license" .iss)" = "$(value "$STATE/keyset" .iss)" ] || die "it is of another portal"
  [ "$(value "$WORK/license" .sub)" = "$ME" ] || die "it is for another device"
  [ "$seq" -ge "$(kept seq)" ] || die "document $seq is older than $(kept seq), which was installed"
  [ "$seq" -gt "$(kept seq)" ] || cmp -s "$WORK/license.json" "$STATE/license.json" || die "two documents $seq"
  keep license.json <"$WORK/license.json" && keep bundle.lic <"$1" && echo "$seq" | keep seq
}
post() { # DOOR TYP PAYLOAD: sign and send; die unless the status is 200; the body is then in $WORK/answer
  local url nonce chain input status && url=$(value "$WORK/directory" ".urls.$1")
  nonce=$(curl -sS -I "$(value "$WORK/directory" .urls.nonce)" | tr -d '\r' | sed -n 's/^replay-nonce: //Ip')
  # x5c is base64 of DER, the device's own first: what stands between the lines of PEM.
  chain=$(awk '/BEGIN/ { $0 = sep "\"" } /END/ { $0 = "\""; sep = "," } { printf "%s", $0 }' "$IDENTITY/chain.pem")
  input=$(printf '{"alg":"ES256","typ":"%s","x5c":[%s],"nonce":"%s","url":"%s"}' "$2" "$chain" "$nonce" "$url" | b64u)
  input=$input.$(printf %s "$3" | b64u)
  # openssl writes r and s as DER integers of any length; JOSE wants 32 bytes each, one behind the other.
  printf %s "$input" | openssl dgst -sha256 -sign "$IDENTITY/key.pem" | openssl asn1parse -inform DER |
    awk -F : '/INTEGER/ { printf "%64s", $4 }' | tr ' ' 0 | basenc --base16 -d | b64u >"$WORK/signature"
  status=$(printf %s.%s "$input" "$(cat "$WORK/signature")" | curl -sS -o "$WORK/answer" -w '%{http_code}' \
    -H 'Content-Type: application/jose' --data-binary @- "$url")
  [ "$status" = 200 ] || die "$status $(cat "$WORK/answer")"
}
settle() { # verify the receipt of the pending return, and lift the tombstones of what stays
  flat <"$WORK/answer" >"$WORK/returned" && key_sets "$WORK/returned" .bundle
  verified "$WORK/returned" .receipt lic-receipt+jws "$(keys "$STATE/keyset" keys lic-receipt+jws)" | flat >"$WORK/receipt"
  [ "$(value "$WORK/receipt" .ret_sha256)" = "$(openssl dgst -sha256 -binary "$STATE/pending" | b64u)" ] || die "not mine"
  sed -nE 's/^\.results\.[0-9]+\.(id|r)\t//p' "$WORK/receipt" | paste - - | tee "$WORK/results"
  sed -nE 's/\t(kept|unknown)$//p' "$WORK/results" | { grep -vxFf - "$STATE/tombstones" || true; } | keep tombstones
  keep receipt.json <"$WORK/answer" && rm "$STATE/pending"
}
mkdir -p "$STATE" && touch "$STATE/tombstones" && [ -e "$STATE/keyset" ] || { flat <"$ROOTS" && printf '.version\t0\n'; } | keep keyset
ME=$(openssl x509 -in "$IDENTITY/chain.pem" -noout -subject -nameopt multiline | sed -n 's/^ *serialNumber *= //p')
if [ "${1-}" = fetch ] || [ "${1-}" = return ]; then
  curl -sS "$PORTAL/device/v1/directory" | flat >"$WORK/directory"
  # The portal's name is the key set's. Only before the first fetch there is none: take the directory's.
  AUD=$(cat "$STATE/keyset" "$WORK/directory" | awk '!aud && ($1 == ".iss" || $1 == ".portal") { print aud = $2 }')
  SAID=$(printf '"ver":1,"iss":"%s","sub":"%s","aud":"%s","jti":"%s","seq":%d' "$ME" "$ME" "$AUD" \
    "$(openssl rand 16 | b64u)" "$(kept seq)")
fi
case ${1-} in
fetch) post licenses lic-fetch+jws "{$SAID}" && install "$WORK/answer" ;;
install) install "$2" ;; # a .lic that somebody carried here
return)
  if [ ! -e "$STATE/pending" ]; then # one without an answer goes first, with the very same payload
    shift && ctr=$(($(kept ctr) + 1)) && echo "$ctr" | keep ctr && grants=$(printf ',"%s"' "$@")
    { cat "$STATE/tombstones" && printf '%s\n' "$@"; } | keep tombstones
    printf '{%s,"ctr":%d,"grants":[%s],"min_seq":%d}' "$SAID" "$ctr" "${grants:1}" "$(kept seq)" | keep pending
  fi
  # A real device resets here, so that nothing it gives back is in effect; only then does it sign.
  post returns lic-return+jws "$(cat "$STATE/pending")" && settle ;;
verify) # once more what is installed; then what counts: id, product, version, quantity, less what was given back
  install "$STATE/bundle.lic"
  sed -nE 's/^\.items\.[0-9]+\.(id|product|version|qty)\t//p' "$WORK/license" | paste - - - - |
    { grep -vFf "$STATE/tombstones" || true; } ;;
*) die "usage: device.sh fetch | install FILE.lic | return GRANT... | verify" ;;
esac
