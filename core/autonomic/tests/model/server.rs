//! An endpoint on loopback that answers as it is told to.
#![allow(dead_code, reason = "each test uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

/// What it does with one request.
pub enum Answer {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends nothing until the caller goes away.
    Silence,
}

/// One request as it came.
pub struct Asked {
    pub head: String,
    pub body: Value,
}

pub struct Server {
    pub url: String,
    pub asked: Receiver<Asked>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers as many requests as there are answers, each on a connection of its own, and ends.
    pub fn start(answers: Vec<Answer>) -> Server {
        let (count, mut answers) = (answers.len(), answers.into_iter());
        Server::answering(count, move |_| answers.next().expect("there are as many"))
    }

    /// Answers so many requests, each on a connection of its own, and ends.
    pub fn answering(count: usize, mut answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (sender, asked) = channel();
        let thread = thread::spawn(move || {
            for _ in 0..count {
                let (stream, _) = listener.accept().unwrap();
                let request = read(&stream);
                let answer = answer(&request);
                // A test that looks at no request has dropped its end.
                _ = sender.send(request);
                serve(stream, answer);
            }
        });
        Server { url, asked, thread: Some(thread) }
    }

    /// Waits until every answer was given.
    pub fn join(mut self) -> Vec<Asked> {
        self.thread.take().unwrap().join().unwrap();
        self.asked.try_iter().collect()
    }
}

fn read(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "a request ends its head");
    }
    let length =
        head.to_lowercase().lines().find_map(|line| Some(line.strip_prefix("content-length:")?.trim().parse()));
    let mut body = vec![0; length.unwrap().unwrap()];
    reader.read_exact(&mut body).unwrap();
    Asked { head, body: serde_json::from_slice(&body).unwrap() }
}

fn serve(mut stream: TcpStream, answer: Answer) {
    match answer {
        // Whoever stops reading early is none of the server's business.
        Answer::Bytes(bytes) => _ = stream.write_all(&bytes),
        Answer::Silence => _ = stream.read(&mut [0]),
    }
}

/// An HTTP response.
pub fn response(status: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Bytes(
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
            .into_bytes(),
    )
}

/// A completion whose text this is.
pub fn completion(content: &str) -> Answer {
    let message = json!({"role": "assistant", "content": content});
    let usage = json!({"prompt_tokens": 300, "completion_tokens": 40});
    finished(message, "stop", usage)
}

/// A completion with this message, end and usage.
pub fn finished(message: Value, reason: &str, usage: Value) -> Answer {
    let body = json!({"choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": usage});
    response("200 OK", "", &body.to_string())
}
