// Sends trainings to the Federal Learning Account. Node 20 or later, no packages.
// Exit code: 0 all accepted, 1 refused, 2 not known (settings, network, an answer that makes no sense).

import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const ASSERTION_LIFETIME = 300; // seconds; the token endpoint accepts at most 600
const MARGIN = 30; // seconds; a token must not expire on its way

class Refused extends Error {}

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function algorithmOf(key) {
  if (key.asymmetricKeyType === 'rsa') return { alg: 'RS256', hash: 'sha256' };
  const curve = key.asymmetricKeyDetails.namedCurve;
  if (curve === 'secp384r1') return { alg: 'ES384', hash: 'sha384' };
  if (curve === 'secp521r1') return { alg: 'ES512', hash: 'sha512' };
  throw new Error(`no algorithm for a key of type ${key.asymmetricKeyType} ${curve ?? ''}`);
}

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function makeAssertion(key) {
  const { alg, hash } = algorithmOf(key);
  const claims = {
    iss: setting('FLA_CLIENT_ID'),
    sub: setting('FLA_CLIENT_ID'),
    aud: setting('FLA_AUDIENCE'),
    exp: Math.floor(Date.now() / 1000) + ASSERTION_LIFETIME,
    jti: randomUUID(), // an assertion is good for one use
  };
  const signed = `${base64url({ alg, typ: 'JWT' })}.${base64url(claims)}`;
  // ECDSA signatures are DER by default; a JWS wants the two numbers side by side (RFC 7518 §3.4). RSA ignores this.
  const signature = sign(hash, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

async function send(method, url, body, headers) {
  const answer = await fetch(url, {
    method,
    body,
    headers: { Accept: 'application/json', ...headers },
    // Following one would carry the assertion or the token to another address.
    redirect: 'manual',
    signal: AbortSignal.timeout(1000 * Number(process.env.FLA_TIMEOUT_SECONDS ?? 30)),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Refused(`${method} refused with ${answer.status}: ${text.slice(0, 2000)}`);
  return text;
}

// Returns a function that gives the access token, a new one shortly before the old one expires.
function tokenSource(key) {
  let token;
  let useUntil = 0;
  return async () => {
    const now = performance.now(); // nobody sets this clock back
    if (now >= useUntil) {
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: makeAssertion(key),
      });
      if (process.env.FLA_SCOPE) form.set('scope', process.env.FLA_SCOPE);
      // fetch adds the media type of a form by itself.
      const answer = JSON.parse(await send('POST', setting('FLA_TOKEN_URL'), form, {}));
      if (!answer.access_token) throw new Error('the token endpoint answered without an access_token');
      token = answer.access_token;
      useUntil = now + 1000 * ((answer.expires_in ?? 0) - MARGIN);
    }
    return token;
  };
}

async function main() {
  const { submissions } = JSON.parse(await readFile(setting('FLA_JOB'), 'utf8'));
  const token = tokenSource(createPrivateKey(await readFile(setting('FLA_KEY_FILE'))));
  for (const [index, { enterpriseNumber, ssin, year, body }] of submissions.entries()) {
    const path = `employers/${enterpriseNumber}/employees/${ssin}/calendarYears/${year}/trainings`;
    // PUT replaces what is there: sending the same again changes nothing, so it may be repeated.
    await send('PUT', `${setting('FLA_EMPLOYER_URL')}/${path}`, JSON.stringify(body), {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${await token()}`,
    });
    console.log(`accepted ${index + 1} of ${submissions.length}`);
  }
}

try {
  await main();
} catch (error) {
  const refused = error instanceof Refused;
  // The reason of a failed fetch is in its cause.
  console.error(refused ? error.message : `cannot go on: ${error.message} ${error.cause?.message ?? ''}`);
  // Node's own exit code for an exception is 1 as well, and 1 says refused.
  process.exitCode = refused ? 1 : 2;
}
