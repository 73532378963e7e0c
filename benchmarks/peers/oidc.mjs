// node-oidc-provider as a token endpoint: private_key_jwt, client_credentials, JWT access tokens, its own memory store.
// Usage: node oidc.mjs PORT CLIENT_KEY_SET_FILE

import { readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [port, keySetFile] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'benchmark',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'benchmark',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: JSON.parse(readFileSync(keySetFile, 'utf8')),
    },
  ],
  clientAuthMethods: ['private_key_jwt'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:benchmark',
      getResourceServerInfo: () => ({
        scope: 'benchmark',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'oauth' }] },
  scopes: ['benchmark'],
});

provider.listen(Number(port), '127.0.0.1');
