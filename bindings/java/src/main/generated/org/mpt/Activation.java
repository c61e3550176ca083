// Written by generate.py from the header; do not edit.
package org.mpt;

/** Activation functions that layers can be made of; the ops of these names say what they compute. */
public enum Activation {
    /** max(x, 0) */
    RELU(0),
    /** parameter: the slope */
    LEAKY_RELU(1),
    /** {@link GeluKind#EXACT} */
    GELU(2),
    /** {@link GeluKind#TANH} */
    GELU_TANH(3),
    /** x sigmoid(x) */
    SILU(4),
    /** parameter: alpha */
    ELU(5),
    /** 1 / (1 + exp(-x)) */
    SIGMOID(6),
    /** the hyperbolic tangent */
    TANH(7),
    /** log(1 + exp(x)) */
    SOFTPLUS(8);

    final int number;

    Activation(int number) {
        this.number = number;
    }

    /**
     * The number that mpt.h has for it.
     *
     * @return the number
     */
    public int number() {
        return number;
    }

    static Activation of(int number) {
        for (Activation value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no Activation is " + number);
    }
}
