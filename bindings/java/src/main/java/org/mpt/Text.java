package org.mpt;

import java.nio.charset.StandardCharsets;

/** Strings of the library. */
final class Text {
    interface Source {
        void read(byte[] text, long[] needed);
    }

    private Text() {}

    static byte[] utf8(String text) {
        if (text == null) return null;
        if (text.indexOf('\0') >= 0) throw new IllegalArgumentException("a zero character inside a string: the library would end it there");
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String of(byte[] text) {
        int length = 0;
        while (length < text.length && text[length] != 0) ++length;
        return new String(text, 0, length, StandardCharsets.UTF_8);
    }

    static String read(Session s, Source source) {
        long[] needed = new long[1];
        source.read(null, needed);
        byte[] text = new byte[(int) needed[0]];
        source.read(text, needed);
        return of(text);
    }
}
