// Written by generate.py from the header; do not edit.
package org.mpt;

import org.mpt.internal.MptNative;

/** The methods of {@link Program} that follow from the header. */
abstract sealed class ProgramMethods extends Handle permits Program {
    ProgramMethods(Context context, long address) {
        super(context, address, Handle.Kind.PROGRAM);
    }

    /**
     * The plan as text: two lines about the whole, then a line per step with tabs between number, op, kernel, role, layer and operands.
     * Behind an operand's dtype and shape: "&#64;offset", its place in the arena in bytes; "#number", memory outside of it, counted in
     * order of appearance (parameters, data, outputs). "-": an absent operand, or no layer. Text.
     *
     * @return the text
     */
    public String dump() {
        Session s = session;
        s.enter();
        try {
            return Text.read(s, (text, needed) -> MptNative.mpt_program_dump(s.of(this), text, needed));
        } finally {
            s.leave();
        }
    }
}
