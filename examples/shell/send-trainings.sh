#!/usr/bin/env bash
# Sends trainings to the Federal Learning Account with openssl and curl alone.
# Exit code: 0 all accepted, 1 refused, 2 not known (settings, network, an answer that makes no sense).
#
# Without jq a shell cannot take a job file apart, so the submissions are arguments: four each, the body in a file.
set -Eeuo pipefail
# A failed command would end the script with its own status, often 1, and 1 says refused.
trap 'echo "cannot go on: a command failed in line $LINENO" >&2; exit 2' ERR

assertion_lifetime=300 # seconds; the token endpoint accepts at most 600
margin=30              # seconds; a token must not expire on its way

if (($# == 0 || $# % 4)); then
  echo "usage: $0 ENTERPRISE_NUMBER SSIN YEAR BODY_FILE [ENTERPRISE_NUMBER SSIN YEAR BODY_FILE]…" >&2
  exit 2
fi
for name in FLA_TOKEN_URL FLA_AUDIENCE FLA_EMPLOYER_URL FLA_CLIENT_ID FLA_KEY_FILE; do
  if [[ -z ${!name-} ]]; then
    echo "cannot go on: $name is not set" >&2
    exit 2
  fi
done

# number_width: hexadecimal digits of each of the two numbers of an ECDSA signature.
case $(openssl pkey -in "$FLA_KEY_FILE" -noout -text_pub) in
  *secp384r1*) alg=ES384 hash=sha384 number_width=96 ;;
  *secp521r1*) alg=ES512 hash=sha512 number_width=132 ;;
  *Modulus:*) alg=RS256 hash=sha256 number_width= ;;
  *)
    echo "cannot go on: $FLA_KEY_FILE holds neither an RSA key nor one on P-384 or P-521" >&2
    exit 2
    ;;
esac

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# Turns DER into the two numbers side by side, each padded with zeros to the width of the curve (RFC 7518 §3.4).
raw_signature() {
  local number
  openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p' | while read -r number; do
    number=$(printf '%*s' "$number_width" "$number" | tr ' ' 0)
    printf '%b' "$(sed 's/../\\x&/g' <<<"$number")"
  done
}

sign() {
  if [[ -n $number_width ]]; then
    openssl dgst "-$hash" -sign "$FLA_KEY_FILE" -binary | raw_signature
  else
    openssl dgst "-$hash" -sign "$FLA_KEY_FILE" -binary
  fi
}

make_assertion() {
  local claims signed
  # The jti is new each time: an assertion is good for one use.
  claims=$(printf '{"iss":"%s","sub":"%s","aud":"%s","exp":%d,"jti":"%s"}' "$FLA_CLIENT_ID" "$FLA_CLIENT_ID" \
    "$FLA_AUDIENCE" "$(($(date +%s) + assertion_lifetime))" "$(openssl rand -hex 16)")
  signed=$(printf '{"alg":"%s","typ":"JWT"}' "$alg" | base64url).$(printf '%s' "$claims" | base64url)
  printf '%s.%s' "$signed" "$(printf '%s' "$signed" | sign | base64url)"
}

# Sets $answer to the body of a good answer. Ends the script after any other.
send() {
  local whole status
  # No --location: following a redirect would carry the assertion or the token to another address.
  whole=$(curl --silent --show-error --max-time "${FLA_TIMEOUT_SECONDS:-30}" --header 'Accept: application/json' \
    --write-out '\n%{http_code}' "$@")
  status=${whole##*$'\n'} answer=${whole%$'\n'*}
  if [[ $status != 2?? ]]; then
    echo "refused with $status: ${answer:0:2000}" >&2
    exit 1
  fi
}

# Sets $token, to a new one shortly before the old one expires. ($SECONDS is bash's own count since the start.)
token= use_until=0
need_token() {
  if ((SECONDS < use_until)); then return; fi
  local asked=$SECONDS assertion lifetime
  assertion=$(make_assertion)
  # Secrets reach curl through files: arguments can be read by every user of the machine.
  send "$FLA_TOKEN_URL" \
    --data-urlencode grant_type=client_credentials \
    --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
    --data-urlencode client_assertion@<(printf '%s' "$assertion") \
    ${FLA_SCOPE:+--data-urlencode "scope=$FLA_SCOPE"}
  token=$(sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p' <<<"$answer")
  lifetime=$(sed -n 's/.*"expires_in" *: *\([0-9]*\).*/\1/p' <<<"$answer")
  [[ -n $token ]] # or the trap ends the script
  use_until=$((asked + ${lifetime:-0} - margin))
}

# PUT replaces what is there: sending the same again changes nothing, so it may be repeated.
while (($#)); do
  [[ -r $4 ]] # or the trap ends the script; curl would warn, and send nothing
  need_token
  send --request PUT "$FLA_EMPLOYER_URL/employers/$1/employees/$2/calendarYears/$3/trainings" \
    --header 'Content-Type: application/json' --header @<(printf 'Authorization: Bearer %s' "$token") \
    --data-binary "@$4"
  echo "accepted $1, year $3"
  shift 4
done
