/**
 * Networks as ONNX graphs. The dozen of protobuf messages that this takes are written here: protobuf's library and ONNX's
 * generated classes are twenty times as large as all of elman.
 */
package dev.elman.convert.onnx;
