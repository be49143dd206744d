//! Adds to each file its compressed forms, made once with all the effort there is.

use anyhow::Result;
use brotli::enc::BrotliEncoderParams;

use crate::assets::File;

/// Below this, compression saves less than its header costs.
const WORTH_IT_FROM: usize = 1024;
const BROTLI_QUALITY_MAX: i32 = 11;
/// As large as browsers accept without further agreement: 2^24 bytes.
const BROTLI_WINDOW_MAX: i32 = 24;

pub(crate) fn add_compressed(files: Vec<File>) -> Result<Vec<File>> {
    let mut all = Vec::with_capacity(files.len() * 3);
    for file in files {
        if file.content.len() >= WORTH_IT_FROM && is_compressible(&file) {
            all.push(File { path: format!("{}.br", file.path), content: brotli(&file.content)? });
            all.push(File { path: format!("{}.gz", file.path), content: gzip(&file.content)? });
        }
        all.push(file);
    }
    Ok(all)
}

fn is_compressible(file: &File) -> bool {
    file.text().is_some() || ["wasm", "txt", "ico"].contains(&file.extension())
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters =
        BrotliEncoderParams { quality: BROTLI_QUALITY_MAX, lgwin: BROTLI_WINDOW_MAX, ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &parameters)?;
    Ok(compressed)
}

/// As small as the format allows, which takes seconds where zlib takes a moment: it is done once, and downloaded by
/// everybody. Without time or name in its header: the same content gives the same bytes.
pub(crate) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Gzip, content, &mut compressed)?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn file(length: usize) -> File {
        File { path: "/assets/app.css".to_owned(), content: b"a{} ".repeat(length / 4) }
    }

    #[test]
    fn small_files_stay_as_they_are() {
        assert_eq!(add_compressed(vec![file(WORTH_IT_FROM - 4)]).unwrap().len(), 1);
        assert_eq!(add_compressed(vec![file(WORTH_IT_FROM)]).unwrap().len(), 3);
    }

    #[test]
    fn what_comes_out_is_what_went_in() {
        let original = file(4096);
        let files = add_compressed(vec![original.clone()]).unwrap();
        let mut from_brotli = Vec::new();
        brotli::Decompressor::new(&files[0].content[..], 4096).read_to_end(&mut from_brotli).unwrap();
        let mut from_gzip = Vec::new();
        flate2::read::GzDecoder::new(&files[1].content[..]).read_to_end(&mut from_gzip).unwrap();
        assert_eq!([&from_brotli, &from_gzip], [&original.content, &original.content]);
    }
}
