//! Decompression of gzip files [RFC 1951, RFC 1952], so that the samples need nothing but mpt.

const DAMAGED: &str = "damaged gzip data";

struct Bits<'a> {
    bytes: &'a [u8],
    next: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// Holds at least 32 bits, zeros behind the end.
    fn fill(&mut self) {
        while self.count <= 56 && self.next < self.bytes.len() {
            self.held |= u64::from(self.bytes[self.next]) << self.count;
            self.next += 1;
            self.count += 8;
        }
    }
    fn take(&mut self, n: u32) -> Result<u32, &'static str> {
        self.fill();
        if n > self.count {
            return Err("the gzip data end too early");
        }
        let value = (self.held & ((1 << n) - 1)) as u32;
        self.held >>= n;
        self.count -= n;
        Ok(value)
    }
    /// Gives back whole bytes that were read ahead.
    fn align(&mut self) {
        let rest = self.count % 8;
        self.next -= ((self.count - rest) / 8) as usize;
        self.held = 0;
        self.count = 0;
    }
}

/// Symbols by their code, padded to the longest: symbol << 4 | length.
struct Huffman {
    table: Vec<u16>,
    longest: u32,
}

impl Huffman {
    fn new(lengths: &[u8]) -> Result<Huffman, &'static str> {
        let longest = u32::from(lengths.iter().copied().max().unwrap_or(0)).max(1);
        let mut table = vec![0u16; 1 << longest];
        let mut code = 0u32;
        for length in 1..=longest {
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, &l)| u32::from(l) == length) {
                if code >> length != 0 {
                    return Err(DAMAGED);
                }
                // Codes come with their first bit lowest.
                let mut at = (code.reverse_bits() >> (32 - length)) as usize;
                while at < table.len() {
                    table[at] = (symbol as u16) << 4 | length as u16;
                    at += 1 << length;
                }
                code += 1;
            }
            code <<= 1;
        }
        Ok(Huffman { table, longest })
    }

    fn decode(&self, bits: &mut Bits<'_>) -> Result<usize, &'static str> {
        bits.fill();
        let entry = self.table[(bits.held & ((1 << self.longest) - 1)) as usize];
        if entry & 15 == 0 {
            return Err(DAMAGED);
        }
        bits.take(u32::from(entry & 15))?;
        Ok(usize::from(entry >> 4))
    }
}

const LENGTH_BASE: [u16; 29] = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_EXTRA: [u8; 29] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE: [u16; 30] =
    [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_EXTRA: [u8; 30] = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

fn dynamic_codes(bits: &mut Bits<'_>) -> Result<(Huffman, Huffman), &'static str> {
    let (literals, distances, n) = (bits.take(5)? as usize + 257, bits.take(5)? as usize + 1, bits.take(4)? as usize + 4);
    let mut lengths = [0u8; 19];
    for &at in &ORDER[..n] {
        lengths[at] = bits.take(3)? as u8;
    }
    let code = Huffman::new(&lengths)?;
    let mut all = Vec::with_capacity(literals + distances);
    while all.len() < literals + distances {
        let (value, times) = match code.decode(bits)? {
            16 => (*all.last().ok_or(DAMAGED)?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            length => (length as u8, 1),
        };
        all.extend((0..times).map(|_| value));
    }
    if all.len() > literals + distances {
        return Err(DAMAGED);
    }
    Ok((Huffman::new(&all[..literals])?, Huffman::new(&all[literals..])?))
}

fn inflate(bits: &mut Bits<'_>, limit: usize) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::new();
    loop {
        let last = bits.take(1)? == 1;
        let (literal, distance) = match bits.take(2)? {
            0 => {
                bits.align();
                let header = bits.bytes.get(bits.next..bits.next + 4).ok_or(DAMAGED)?;
                let n = usize::from(u16::from_le_bytes([header[0], header[1]]));
                bits.next += 4;
                out.extend_from_slice(bits.bytes.get(bits.next..bits.next + n).ok_or(DAMAGED)?);
                bits.next += n;
                if last {
                    return Ok(out);
                }
                continue;
            }
            1 => {
                let lengths: Vec<u8> = (0..288).map(|i| if i < 144 { 8 } else if i < 256 { 9 } else if i < 280 { 7 } else { 8 }).collect();
                (Huffman::new(&lengths)?, Huffman::new(&[5; 30])?)
            }
            2 => dynamic_codes(bits)?,
            _ => return Err(DAMAGED),
        };
        loop {
            match literal.decode(bits)? {
                symbol if symbol < 256 => out.push(symbol as u8),
                256 => break,
                symbol => {
                    let i = symbol - 257;
                    let length = usize::from(*LENGTH_BASE.get(i).ok_or(DAMAGED)?) + bits.take(LENGTH_EXTRA[i].into())? as usize;
                    let j = distance.decode(bits)?;
                    let back = usize::from(*DISTANCE_BASE.get(j).ok_or(DAMAGED)?) + bits.take(DISTANCE_EXTRA[j].into())? as usize;
                    let start = out.len().checked_sub(back).ok_or(DAMAGED)?;
                    for at in start..start + length {
                        out.push(out[at]);
                    }
                }
            }
            if out.len() > limit {
                return Err("more gzip data than any data set of this kind has");
            }
        }
        if last {
            bits.align();
            return Ok(out);
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256u32).map(|n| (0..8).fold(n, |c, _| if c & 1 == 1 { 0xedb8_8320 ^ c >> 1 } else { c >> 1 })).collect();
    !bytes.iter().fold(!0u32, |c, &b| table[((c ^ u32::from(b)) & 255) as usize] ^ c >> 8)
}

/// The contents of a gzip file; other bytes as they are.
pub fn decompress(bytes: Vec<u8>, limit: usize) -> Result<Vec<u8>, &'static str> {
    if bytes.len() < 18 || bytes[..3] != [0x1f, 0x8b, 8] {
        return Ok(bytes);
    }
    let (flags, mut at) = (bytes[3], 10);
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            at += 1 + bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == 0)).ok_or(DAMAGED)?;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    let mut bits = Bits { bytes: &bytes, next: at.min(bytes.len()), held: 0, count: 0 };
    let out = inflate(&mut bits, limit)?;
    let trailer = bytes.get(bits.next..bits.next + 8).ok_or("the gzip data end too early")?;
    if trailer[..4] != crc32(&out).to_le_bytes() || trailer[4..] != (out.len() as u32).to_le_bytes() {
        return Err(DAMAGED);
    }
    Ok(out)
}
