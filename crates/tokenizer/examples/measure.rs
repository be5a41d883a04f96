use std::time::Instant;
use tokenizer::*;
fn main() {
    let text = std::fs::read_to_string("/tmp/raw-model.txt").unwrap();
    let texts: Vec<&str> = text.lines().collect();
    let start = Instant::now();
    let vocabulary = train_wordpiece(texts.iter().copied(), 8000, SpecialTokens::Bert);
    println!("train {:.2?} {} tokens", start.elapsed(), vocabulary.len());
    let single = vocabulary.iter().filter(|t| t.trim_start_matches("##").chars().count() == 1).count();
    println!("single {single}; {:?}", &vocabulary[vocabulary.len() - 20..]);
    let t = Tokenizer::from_vocabulary(vocabulary).unwrap();
    let start = Instant::now();
    let e = t.encode_batch(&texts, 64);
    let n: usize = e.iter().map(|e| e.ids.len()).sum();
    let unk: usize = e.iter().map(|e| e.ids.iter().filter(|id| **id == 1).count()).sum();
    println!("encode {:.2?} rows {} tokens {} unk {}", start.elapsed(), e.len(), n, unk);
    let start = Instant::now();
    let e = t.encode_batch(&texts, 64);
    println!("again {:.2?} {}", start.elapsed(), e.len());
    let t = Tokenizer::load(std::path::Path::new("/work/shared/tokenizers/KcELECTRA-v2022")).unwrap();
    let start = Instant::now();
    let e = t.encode_batch(&texts, 64);
    println!("kc {:.2?} {}", start.elapsed(), e.len());
}
