//! Arenas in one process that are nodes of one another, for tests of the SDK: `tickwire-neighbours
//! NODES MAX_ROOMS`. Prints `LISTENING` and the address of each, and stops when its standard input
//! ends. Addresses are where clients reach a node, unless a third argument says otherwise: a URL in
//! which `{}` stands for the node's number, from 1.

use std::io::Read;
use std::time::Duration;

use tickwire_arena::Arena;
use tickwire_harness::{File, Server};
use tickwire_server::Site;
use tickwire_server::config::Config;
use tickwire_server::lobby::Neighbours;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args.get(at).and_then(|text| text.parse().ok());
    let (Some(count), Some(max_rooms)) = (number(0), number(1)) else {
        panic!("usage: tickwire-neighbours NODES MAX_ROOMS [URL]");
    };
    let key = File::new("guest-key", "a key that all of these nodes have");
    let config = Config {
        max_rooms,
        // What one test made is not in the next one's way.
        room_linger: Duration::ZERO,
        guest_key_file: Some(key.path().into()),
        ..Config::default()
    };
    let neighbours = Neighbours::default();
    let servers: Vec<Server> = (1..=count)
        .map(|node| {
            let url = args.get(2).map(|url| url.replace("{}", &node.to_string()));
            Server::start_among::<Arena>(config.clone(), Site::new(), &neighbours, url)
        })
        .collect();
    let exchange = tokio::spawn(neighbours.run());
    let addresses = servers.iter().map(|server| server.public.to_string());
    let addresses: Vec<String> = addresses.collect();
    println!("LISTENING {}", addresses.join(" "));
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = end.await;
    exchange.abort();
    for server in servers {
        server.close().await;
    }
}
