// Written by generate.py from the header; do not edit.
package org.mpt;

/** Activation functions that layers can be made of; the ops of these names say what they compute. */
public enum Activation {
    /** The library's {@code Activation.RELU}. */
    RELU(0),
    /** parameter: the slope */
    LEAKY_RELU(1),
    /** The library's {@code Activation.GELU}. */
    GELU(2),
    /** The library's {@code Activation.GELU_TANH}. */
    GELU_TANH(3),
    /** The library's {@code Activation.SILU}. */
    SILU(4),
    /** parameter: alpha */
    ELU(5),
    /** The library's {@code Activation.SIGMOID}. */
    SIGMOID(6),
    /** The library's {@code Activation.TANH}. */
    TANH(7),
    /** The library's {@code Activation.SOFTPLUS}. */
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
