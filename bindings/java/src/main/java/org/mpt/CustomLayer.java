package org.mpt;

import java.util.List;

/** A layer's rule, written in ops. The gradient follows from them. */
@FunctionalInterface
public interface CustomLayer {
    /**
     * Runs the rule. The inputs are good during the call. The results are taken over: they are closed behind it.
     *
     * @param layer the layer that this is the rule of
     * @param inputs what the layer was given
     * @return the results, as many as were asked for
     * @throws Exception fails the call of the layer
     */
    List<Tensor> forward(Layer layer, List<Tensor> inputs) throws Exception;
}
