import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.*;
import java.security.*;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.*;
import java.time.*;
import java.util.*;
import java.util.stream.Collectors;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Sends trainings to the Federal Learning Account. JDK 17 or later, no libraries: java SendTrainings.java
 * Exit code: 0 all accepted, 1 refused, 2 not known (settings, network, an answer that makes no sense).
 */
public final class SendTrainings {
    private static final int ASSERTION_LIFETIME = 300; // seconds; the token endpoint accepts at most 600
    private static final int MARGIN = 30; // seconds; a token must not expire on its way
    // Follows no redirect, which would carry the assertion or the token to another address.
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static String accessToken;
    private static long useUntil = System.nanoTime(); // nobody sets this clock back

    private static final class Refused extends Exception {
        Refused(String message) { super(message); }
    }

    public static void main(String[] arguments) {
        try {
            var key = loadKey(Files.readString(Path.of(setting("FLA_KEY_FILE"))));
            var submissions = Json.parts(Json.members(Files.readString(Path.of(setting("FLA_JOB")))).get("submissions"));
            for (int i = 0; i < submissions.size(); i++) {
                put(Json.members(submissions.get(i)), key);
                System.out.printf("accepted %d of %d%n", i + 1, submissions.size());
            }
        } catch (Refused refused) {
            System.err.println(refused.getMessage());
            System.exit(1);
        } catch (Exception error) { // Java's own exit code for an exception is 1 as well, and 1 says refused
            System.err.println("cannot go on: " + error);
            System.exit(2);
        }
    }

    private static String setting(String name) {
        return Objects.requireNonNull(System.getenv(name), name + " is not set");
    }

    /** PUT replaces what is there: sending the same again changes nothing, so it may be repeated. */
    private static void put(Map<String, String> job, PrivateKey key) throws Exception {
        var url = "%s/employers/%s/employees/%s/calendarYears/%s/trainings".formatted(setting("FLA_EMPLOYER_URL"),
                Json.text(job.get("enterpriseNumber")), Json.text(job.get("ssin")), job.get("year"));
        send(HttpRequest.newBuilder(URI.create(url)).header("Authorization", "Bearer " + token(key))
                .header("Content-Type", "application/json").PUT(BodyPublishers.ofString(job.get("body"))));
    }

    /** Returns the access token, a new one shortly before the old one expires. */
    private static String token(PrivateKey key) throws Exception {
        long now = System.nanoTime();
        if (now - useUntil >= 0) {
            var form = new LinkedHashMap<String, String>();
            form.put("grant_type", "client_credentials");
            form.put("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            form.put("client_assertion", assertion(key));
            if (System.getenv("FLA_SCOPE") != null) form.put("scope", System.getenv("FLA_SCOPE"));
            var body = form.entrySet().stream()
                    .map(field -> field.getKey() + "=" + URLEncoder.encode(field.getValue(), UTF_8))
                    .collect(Collectors.joining("&"));
            var answer = Json.members(send(HttpRequest.newBuilder(URI.create(setting("FLA_TOKEN_URL")))
                    .header("Content-Type", "application/x-www-form-urlencoded").POST(BodyPublishers.ofString(body))));
            accessToken = Json.text(answer.get("access_token"));
            useUntil = now + 1_000_000_000L * (Long.parseLong(answer.getOrDefault("expires_in", "0")) - MARGIN);
        }
        return accessToken;
    }

    private static String send(HttpRequest.Builder builder) throws Exception {
        var seconds = Objects.requireNonNullElse(System.getenv("FLA_TIMEOUT_SECONDS"), "30");
        var request = builder.header("Accept", "application/json")
                .timeout(Duration.ofMillis((long) (1000 * Double.parseDouble(seconds)))).build();
        var answer = HTTP.send(request, BodyHandlers.ofString());
        if (answer.statusCode() / 100 == 2) return answer.body();
        var text = answer.body().substring(0, Math.min(2000, answer.body().length()));
        throw new Refused("%s refused with %d: %s".formatted(request.method(), answer.statusCode(), text));
    }

    private static String assertion(PrivateKey key) throws GeneralSecurityException {
        // The P1363 form: a JWS wants the two numbers of ECDSA side by side (RFC 7518, 3.4), and not in DER.
        String alg = "RS256", signer = "SHA256withRSA";
        if (key instanceof ECPrivateKey ec) {
            boolean p384 = ec.getParams().getOrder().bitLength() == 384;
            alg = p384 ? "ES384" : "ES512";
            signer = p384 ? "SHA384withECDSAinP1363Format" : "SHA512withECDSAinP1363Format";
        }
        var claims = "{\"iss\":\"%1$s\",\"sub\":\"%1$s\",\"aud\":\"%2$s\",\"exp\":%3$d,\"jti\":\"%4$s\"}".formatted(
                setting("FLA_CLIENT_ID"), setting("FLA_AUDIENCE"),
                Instant.now().getEpochSecond() + ASSERTION_LIFETIME,
                UUID.randomUUID()); // an assertion is good for one use
        var signed = base64url("{\"alg\":\"%s\",\"typ\":\"JWT\"}".formatted(alg).getBytes(UTF_8))
                + "." + base64url(claims.getBytes(UTF_8));
        var signature = Signature.getInstance(signer);
        signature.initSign(key);
        signature.update(signed.getBytes(UTF_8));
        return signed + "." + base64url(signature.sign());
    }

    private static String base64url(byte[] data) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(data);
    }

    private static PrivateKey loadKey(String pem) throws GeneralSecurityException {
        var der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        try {
            return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (InvalidKeySpecException notRsa) {
            return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
        }
    }

    /** Takes valid JSON apart without parsing it, so that a body is sent as it was written. Use your own library. */
    private static final class Json {
        /** The raw texts of the elements of an array, or of the members of an object. */
        static List<String> parts(String json) {
            json = json.strip();
            var parts = new ArrayList<String>();
            boolean quoted = false;
            for (int i = 0, depth = 0, start = 1; i < json.length(); i++) {
                char c = json.charAt(i);
                if (quoted && c == '\\') i++;
                else if (c == '"') quoted = !quoted;
                else if (!quoted && (c == '{' || c == '[')) depth++;
                else if (!quoted && (c == '}' || c == ']')) depth--;
                if (quoted || depth > 1 || depth == 1 && c != ',') continue;
                if (!json.substring(start, i).isBlank()) parts.add(json.substring(start, i).strip());
                start = i + 1;
            }
            return parts;
        }

        static Map<String, String> members(String json) {
            return parts(json).stream().map(part -> part.split("\"\\s*:", 2))
                    .collect(Collectors.toMap(member -> member[0].substring(1), member -> member[1].strip()));
        }

        static String text(String quoted) {
            return quoted.substring(1, quoted.length() - 1);
        }
    }
}
