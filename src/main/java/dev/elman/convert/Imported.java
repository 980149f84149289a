package dev.elman.convert;

import dev.elman.backend.Backend;
import dev.elman.io.ModelFileException;
import dev.elman.train.SimpleRnnClassifier;
import java.nio.file.Path;

/**
 * A network that came from a file, and how.
 *
 * @param file for messages
 * @param layer the recurrent layer, the top one of several, as the file calls it; for messages
 */
public record Imported(Network network, Report report, Path file, String layer) {
    /**
     * {@link Network#classifier}, with an error that says where the network came from. Whoever calls closes the model.
     *
     * @throws ModelFileException when the network is no classifier: what it has that a classifier has not, and what to do
     */
    public SimpleRnnClassifier classifier(Backend backend) throws ModelFileException {
        Network.Misfit misfit = network.misfit();
        if (misfit == null) return network.classifier(backend);
        throw new ModelFileException(file, layer, misfit.expected(), misfit.found(), misfit.remedy());
    }
}
