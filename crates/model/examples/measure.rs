use std::path::Path;
use std::time::Instant;
use model::*;
use tokenizer::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (kind, limit) = (args[1].as_str(), args[2].parse::<usize>().unwrap());
    let device = open_device("cpu", "flex").unwrap();
    let text = std::fs::read_to_string("/tmp/raw-model.txt").unwrap();
    let texts: Vec<String> = text.lines().map(str::to_owned).step_by(240_000 / limit).take(limit).collect();
    let (hidden, layers, heads, inner, max) = match kind { "tiny" => (128, 2, 2, 512, 64), "mini" => (256, 4, 4, 1024, 128), _ => (768, 12, 12, 3072, 128) };
    let tok = if kind == "base" { Tokenizer::load(Path::new("/work/shared/tokenizers/KcELECTRA-v2022")).unwrap() } else { 
        Tokenizer::from_vocabulary(train_wordpiece(text.lines().take(50_000), 8000, SpecialTokens::Bert)).unwrap() };
    let sizes = Sizes { vocab_size: tok.vocab_size(), embedding_size: None, hidden_size: hidden, num_hidden_layers: layers, num_attention_heads: heads, intermediate_size: inner, max_position_embeddings: 130 };
    let config = ModelConfig::from_scratch(Architecture::Electra, &sizes).unwrap();
    let start = Instant::now();
    let classifier = SequenceClassifier::init(&config, 6, &device, 1).unwrap();
    println!("init {:.2?}", start.elapsed());
    let dir = format!("/tmp/measure-{kind}");
    let labels = classification::LabelSet::from_names(["a", "b", "c", "d", "e", "f"]).unwrap();
    let settings = ModelSettings::new(classification::Task::SingleLabel, &labels, "nfc", max, "x");
    let start = Instant::now();
    save(Path::new(&dir), &classifier, &config, &labels, &tok, &settings).unwrap();
    println!("save {:.2?}", start.elapsed());
    drop(classifier);
    let start = Instant::now();
    let p = Predictor::load(Path::new(&dir), None, &device).unwrap();
    println!("load {:.2?}", start.elapsed());
    for bt in args[3..].iter().map(|a| a.parse::<usize>().unwrap()) {
        let c = cpu();
        let i = p.predict(&texts, None, Some(bt), &mut |_, _| {}).unwrap();
        println!("{bt}: cpu {:.2}s {:.2}s {:.0} sentences/s tokens {} padded {}", cpu() - c, i.seconds, limit as f64 / i.seconds, i.tokens, i.padded_tokens);
    }
    fn cpu() -> f64 { let s = std::fs::read_to_string("/proc/self/stat").unwrap(); let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect(); f[11].parse::<f64>().unwrap() / 100.0 + f[12].parse::<f64>().unwrap() / 100.0 }
    {
        use burn::tensor::*;
        let ad = device.clone().autodiff();
        let model = SequenceClassifier::init(&config, 6, &ad, 1).unwrap();
        let enc = tok.encode_batch(&texts[..32.min(texts.len())], 64);
        let ids: Vec<&[u32]> = enc.iter().map(|e| e.ids.as_slice()).collect();
        for _ in 0..3 {
        let n = if kind == "tiny" { 50 } else { 2 };
        let (start, c) = (Instant::now(), cpu());
        let mut f = 0.0;
        for _ in 0..n {
            let t = Instant::now();
            let b = Batch::new(&ids, 0, &ad);
            let loss = activation::log_softmax(model.forward(&b), 1).sum();
            f += t.elapsed().as_secs_f64();
            let g = loss.backward();
            std::hint::black_box(g);
        }
        let b = Batch::new(&ids, 0, &ad);
        println!("train step {:.2}ms (forward {:.2}), cpu {:.2}ms; padded {} ", start.elapsed().as_secs_f64() * 1e3 / n as f64, f * 1e3 / n as f64, (cpu() - c) * 1e3 / n as f64, b.padded_tokens());
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
