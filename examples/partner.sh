#!/usr/bin/env bash
# A partner's program: activates a key into a project, assigns licenses to a device, downloads its license file.
# Needs curl and an API token of the company with the scopes activate and operate. Every step can be repeated.
#
#   PORTAL=https://licenses.example.com TOKEN=olp_... partner.sh PROJECT KEY HARDWARE-ID PRODUCT VERSION QUANTITY
#
# PROJECT is the project's id, KEY the activation key, HARDWARE-ID like 00-90-33-01-0A-FF.
set -euo pipefail
PORTAL=${PORTAL:?where the portal is} TOKEN=${TOKEN:?an API token}
[ $# -eq 6 ] || { sed -n 's/^# *//; 2,7p' "$0" >&2; exit 2; }
PROJECT=$1 KEY=$2 HARDWARE_ID=$3 PRODUCT=$4 VERSION=$5 QUANTITY=$6

# The token goes to curl in a file of its own: arguments can be seen by everybody on the machine.
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
(umask 077; printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" > "$SCRATCH/curl")

# post NAME PATH [ACCEPTED-CODE]: the body comes from standard input. NAME makes the request repeatable: the same one
# again, after a lost answer, does nothing twice. A refusal with ACCEPTED-CODE counts as done.
post() {
  local answer="$SCRATCH/answer" status
  status=$(curl -sS -K "$SCRATCH/curl" -o "$answer" -w '%{http_code}' --retry 3 --data-binary @- \
    -H "Content-Type: application/json" -H "Idempotency-Key: $1" "$PORTAL/api/v1/$2")
  case $status in 2??) cat "$answer"; echo; return ;; esac
  if [ $# -gt 2 ] && grep -q "\"code\": \"$3\"" "$answer"; then return; fi
  echo "$2: $status" >&2; cat "$answer" >&2; echo >&2
  return 1
}

# The key is the name of what is done with it, but names are not secret: so a hash of it.
NAME=$(printf '%s' "$KEY" | sha256sum | cut -c 1-32)

post "activate-$NAME" keys/activate <<< "{\"code\": \"$KEY\", \"project\": $PROJECT}"
post "add-$PROJECT-$HARDWARE_ID" "projects/$PROJECT/devices" device-already-added \
  <<< "{\"hardware_id\": \"$HARDWARE_ID\"}"
post "assign-$NAME-$HARDWARE_ID" "devices/$HARDWARE_ID/assignments" \
  <<< "{\"product\": \"$PRODUCT\", \"version\": $VERSION, \"quantity\": $QUANTITY}"
# The bytes as they come: they are signed.
curl -fsS -K "$SCRATCH/curl" --retry 3 -o "$HARDWARE_ID.lic" "$PORTAL/api/v1/devices/$HARDWARE_ID/license-document"
echo "$HARDWARE_ID.lic"
