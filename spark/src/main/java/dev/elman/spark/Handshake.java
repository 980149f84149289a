package dev.elman.spark;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * How two workers prove to each other that they know the run's secret, without sending it: each answers the other's random
 * number with its HMAC-SHA256. Who does not know the secret gets no further; what travels afterwards is not encrypted.
 */
final class Handshake {
    static final int SECRET_BYTES = 32;
    private static final int NONCE_BYTES = 16;
    private static final int PROOF_BYTES = 32;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final byte[] secret;

    Handshake(byte[] secret) {
        this.secret = secret.clone();
    }

    static byte[] newSecret() {
        return random(SECRET_BYTES);
    }

    private static byte[] random(int count) {
        byte[] bytes = new byte[count];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    /** The connecting side. */
    void introduce(Socket socket, int mine, int theirs) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        byte[] challenge = in.readNBytes(NONCE_BYTES);
        byte[] own = random(NONCE_BYTES);
        out.writeInt(mine);
        out.write(own);
        out.write(proof("connect", mine, theirs, challenge, own));
        out.flush();
        byte[] answer = in.readNBytes(PROOF_BYTES);
        if (!MessageDigest.isEqual(answer, proof("accept", mine, theirs, challenge, own))) {
            throw new IOException(
                    "worker " + theirs + " at " + socket.getRemoteSocketAddress() + " does not know this run's secret");
        }
    }

    /** The accepting side; returns the rank of the one that connects. */
    int meet(Socket socket, int mine) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        byte[] challenge = random(NONCE_BYTES);
        out.write(challenge);
        out.flush();
        int theirs = in.readInt();
        byte[] own = in.readNBytes(NONCE_BYTES);
        byte[] answer = in.readNBytes(PROOF_BYTES);
        if (!MessageDigest.isEqual(answer, proof("connect", theirs, mine, challenge, own))) {
            throw new IOException(
                    "somebody at " + socket.getRemoteSocketAddress() + " does not know this run's secret");
        }
        out.write(proof("accept", theirs, mine, challenge, own));
        out.flush();
        return theirs;
    }

    private byte[] proof(String role, int connecting, int accepting, byte[] challenge, byte[] own) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            mac.update(role.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            mac.update(
                    ByteBuffer.allocate(8).putInt(connecting).putInt(accepting).array());
            mac.update(challenge);
            return mac.doFinal(own);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java platform has HmacSHA256.", e);
        }
    }
}
