// Written by generate.py from the header; do not edit.
package org.mpt;

/** The rule of a recurrent layer. */
public enum RecurrentKind {
    /** h' = tanh(W x + b + V h + c) [Elman 1990] */
    TANH(0),
    /** max(x, 0) */
    RELU(1),
    /** [Hochreiter and Schmidhuber 1997; gates as torch.nn.LSTM] */
    LSTM(2),
    /** [Cho et al. 2014; gates as torch.nn.GRU] */
    GRU(3);

    final int number;

    RecurrentKind(int number) {
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

    static RecurrentKind of(int number) {
        for (RecurrentKind value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no RecurrentKind is " + number);
    }
}
