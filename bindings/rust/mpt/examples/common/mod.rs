//! What a whole training program needs beside a model: options, data, a precision, steps that become programs, a report, checkpoints.

pub mod data;
mod gzip;
pub mod options;
pub mod report;
pub mod training;
