// Written by generate.py from the header; do not edit.
package org.mpt;

/** Initial values of a layer's weights. Biases: uniform in +-1/sqrt(fan_in) for DEFAULT, else 0. */
public enum Init {
    /** uniform in +-1/sqrt(fan_in) [PyTorch nn.Linear, nn.Conv2d] */
    DEFAULT(0),
    /** 0 */
    ZEROS(1),
    /** +-sqrt(6/(fan_in+fan_out)) [Glorot and Bengio 2010] */
    XAVIER_UNIFORM(2),
    /** std sqrt(2/(fan_in+fan_out)) [Glorot and Bengio 2010] */
    XAVIER_NORMAL(3),
    /** +-sqrt(6/fan_in) [He et al. 2015] */
    KAIMING_UNIFORM(4),
    /** std sqrt(2/fan_in) [He et al. 2015] */
    KAIMING_NORMAL(5),
    /** std sqrt(1/fan_in) [LeCun et al. 1998] */
    LECUN_NORMAL(6),
    /** orthonormal rows or columns [Saxe et al. 2014] */
    ORTHOGONAL(7),
    /** 1 */
    ONES(8);

    final int number;

    Init(int number) {
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

    static Init of(int number) {
        for (Init value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no Init is " + number);
    }
}
