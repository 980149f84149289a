package dev.elman.cli;

import dev.elman.convert.TorchFile;
import dev.elman.train.ModelFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Whose model file a file is, by its name. */
enum ModelFormat {
    ELMAN,
    TORCH,
    KERAS,
    NUMPY,
    ONNX;

    private static final String SAFETENSORS = ".safetensors";
    private static final String KERAS_WEIGHTS = ".weights.h5";
    private static final List<String> PICKLES = List.of(".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle");

    /**
     * The format of a file that is to be read.
     *
     * @throws UserException for a name that says nothing, or a format that is only written
     */
    static ModelFormat ofInput(Path file) throws IOException {
        String name = name(file);
        // Whether a file is a pickle shows in it, not in its name.
        if (name.endsWith(SAFETENSORS) || PICKLES.stream().anyMatch(name::endsWith)) {
            TorchFile.refusePickle(file);
            return ModelFile.kind(file).isPresent() ? ELMAN : TORCH;
        }
        if (name.endsWith(".keras") || name.endsWith(".h5") || name.endsWith(".hdf5")) return KERAS;
        if (name.endsWith(".npz")) return NUMPY;
        if (name.endsWith(".npy")) throw new UserException(file + ": holds one array; a model's are in a .npz");
        if (name.endsWith(".onnx")) {
            throw new UserException(
                    file + ": elman writes ONNX and does not read it; convert what the .onnx was made of");
        }
        throw new UserException(file + ": the name does not say what it is; elman reads .safetensors, .keras,"
                + " .weights.h5, .h5 and .npz");
    }

    /**
     * The format of a file that is to be written.
     *
     * @param forTorch whether a .safetensors is to be PyTorch's, and not elman's own
     * @throws UserException for a name that says nothing, or a format that is only read
     */
    static ModelFormat ofOutput(Path file, boolean forTorch) {
        String name = name(file);
        if (name.endsWith(SAFETENSORS)) return forTorch ? TORCH : ELMAN;
        if (name.endsWith(KERAS_WEIGHTS)) return KERAS;
        if (name.endsWith(".npz")) return NUMPY;
        if (name.endsWith(".onnx")) return ONNX;
        if (name.endsWith(".keras") || name.endsWith(".h5")) {
            throw new UserException(file + ": elman writes Keras's weights only; name the file *" + KERAS_WEIGHTS);
        }
        throw new UserException(file + ": the name does not say what it is to be; elman writes " + SAFETENSORS + ", "
                + KERAS_WEIGHTS + ", .npz and .onnx");
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    }
}
