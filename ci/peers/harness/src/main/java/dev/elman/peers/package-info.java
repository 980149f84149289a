/**
 * Measures elman's CPU backend beside what else a JVM user could take for the same layer. {@link dev.elman.peers.Main}
 * starts one JVM a peer, in which {@link dev.elman.peers.Worker} obeys; only one of them works at a time. A peer is a
 * class that implements {@link dev.elman.peers.Peer} and a line in {@code peers.conf}. Letters: N rows, T steps, D
 * input features, H hidden nodes. Linux only.
 */
package dev.elman.peers;
