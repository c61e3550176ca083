//! Fashion-MNIST [Xiao et al. 2017] in memory, batch by batch.

use std::path::Path;

use super::gzip;

pub const FOLDER: &str = "/usr/share/datasets/fashion-mnist";
pub const SIDE: i64 = 28;
pub const CLASSES: usize = 10;
const PIXELS: usize = (SIDE * SIDE) as usize;
// Of the training pixels, in units of white.
const MEAN: f32 = 0.2860;
const DEVIATION: f32 = 0.3530;

/// An array of bytes in the IDX format of the MNIST family, plain or in gzip.
fn read_idx(path: &Path, ndim: usize) -> Result<(Vec<usize>, Vec<u8>), String> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|e| {
        format!(
            "the Fashion-MNIST data set is not there ({}: {})\n\
             install it with:  sudo apt-get install dataset-fashion-mnist\n\
             or name the folder that holds it with --data",
            name, e
        )
    })?;
    let unusable = |reason: String| format!("the Fashion-MNIST data set cannot be used: {}: {}", name, reason);
    let bytes = gzip::decompress(bytes, 1 << 31).map_err(|reason| unusable(reason.into()))?;
    let header = 4 + 4 * ndim;
    if bytes.len() < header {
        return Err(unusable(format!("the file ends inside the header of {} bytes", header)));
    }
    if bytes[..4] != [0, 0, 8, ndim as u8] {
        return Err(unusable(format!("magic {:02x?} where bytes in {} dimensions are expected", &bytes[..4], ndim)));
    }
    let shape: Vec<usize> = bytes[4..header].chunks(4).map(|c| u32::from_be_bytes([c[0], c[1], c[2], c[3]]) as usize).collect();
    let numel = shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
    if numel != Some(bytes.len() - header) {
        return Err(unusable(format!("{} elements where the header says {:?}", bytes.len() - header, shape)));
    }
    Ok((shape, bytes[header..].to_vec()))
}

/// SplitMix64 [Steele et al. 2014].
fn random_next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// A part of the data set; pixels and labels hold the batch at hand.
pub struct Images {
    n: usize,
    all_pixels: Vec<f32>,
    all_labels: Vec<u8>,
    order: Vec<usize>,
    next: usize,
    size: usize,
    pub pixels: Vec<f32>,
    pub labels: Vec<u8>,
}

impl Images {
    /// Loads "train" or "t10k"; a limit keeps only the first images.
    pub fn open(folder: &str, part: &str, limit: i64, batch: i64) -> Result<Images, String> {
        let folder = Path::new(folder);
        let (shape, images) = read_idx(&folder.join(format!("{}-images-idx3-ubyte.gz", part)), 3)?;
        let (_, mut labels) = read_idx(&folder.join(format!("{}-labels-idx1-ubyte.gz", part)), 1)?;
        if shape[0] != labels.len() {
            return Err(format!("the data set's part {} has {} images but {} labels", part, shape[0], labels.len()));
        }
        if shape[1..] != [SIDE as usize, SIDE as usize] {
            return Err(format!("the data set's part {} has images of {} x {} pixels where {} x {} are expected", part, shape[1], shape[2], SIDE, SIDE));
        }
        if let Some(i) = labels.iter().position(|&l| usize::from(l) >= CLASSES) {
            return Err(format!("label {} of the data set's part {} is {}; the classes are 0 to {}", i, part, labels[i], CLASSES - 1));
        }
        let n = if limit > 0 { labels.len().min(limit as usize) } else { labels.len() };
        labels.truncate(n);
        let all_pixels = images[..n * PIXELS].iter().map(|&p| (f32::from(p) / 255.0 - MEAN) / DEVIATION).collect();
        let size = (batch as usize).min(n).max(1);
        Ok(Images { n, all_pixels, all_labels: labels, order: (0..n).collect(), next: 0, size, pixels: Vec::new(), labels: Vec::new() })
    }

    /// Batches of an epoch.
    pub fn batches(&self) -> i64 {
        ((self.n + self.size - 1) / self.size) as i64
    }

    /// Starts over, in an order of its own for each seed and epoch.
    pub fn shuffle(&mut self, epoch: i64, seed: u64) {
        let mut state = seed;
        // Passing the seed through the generator first keeps (seed, epoch) and (seed + 1, epoch - 1) apart.
        state = random_next(&mut state).wrapping_add(epoch as u64);
        self.order = (0..self.n).collect();
        for i in (1..self.n).rev() {
            self.order.swap(i, (random_next(&mut state) % (i as u64 + 1)) as usize);
        }
        self.next = 0;
    }

    /// Puts the next batch into pixels and labels and gives its size; 0 at the end, which starts over with the images as stored.
    pub fn next(&mut self) -> usize {
        let rows = &self.order[self.next..self.n.min(self.next + self.size)];
        let n = rows.len();
        if n == 0 {
            self.order = (0..self.n).collect();
            self.next = 0;
            return 0;
        }
        self.pixels.clear();
        self.labels.clear();
        for &row in rows {
            self.pixels.extend_from_slice(&self.all_pixels[row * PIXELS..(row + 1) * PIXELS]);
            self.labels.push(self.all_labels[row]);
        }
        self.next += n;
        n
    }
}
