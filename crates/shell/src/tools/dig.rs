//! `dig`: what the name server says of a name. Addresses are all that the network knows; other types have no answer.

use crate::context::Ctx;
use crate::host::NetError;

/// Seconds that CoreDNS lets an answer be kept.
const TTL: u32 = 30;
const TYPES: [&str; 9] = ["A", "AAAA", "ANY", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"];

/// What is asked, and which parts of the answer are shown.
struct Asked {
    name: String,
    kind: String,
    server: String,
    short: bool,
    search: bool,
    tcp: bool,
    /// Everything beside the answer: head, question, statistics.
    around: bool,
    answer: bool,
}

fn read(ctx: &Ctx<'_>, args: &[String]) -> Result<Asked, String> {
    let mut asked = Asked {
        name: String::new(),
        kind: String::new(),
        server: ctx.host.name_server(),
        short: false,
        search: false,
        tcp: false,
        around: true,
        answer: true,
    };
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        if let Some(server) = word.strip_prefix('@') {
            server.clone_into(&mut asked.server);
        } else if let Some(option) = word.strip_prefix('+') {
            let (is_on, option) = option.strip_prefix("no").map_or((true, option), |option| (false, option));
            match option.split('=').next().unwrap_or("") {
                "short" => asked.short = is_on,
                "search" => asked.search = is_on,
                "tcp" | "vc" => asked.tcp = is_on,
                "answer" => asked.answer = is_on,
                "all" => (asked.around, asked.answer) = (is_on, is_on),
                _ => {}
            }
        } else if word == "-t" {
            asked.kind = words.next().cloned().unwrap_or_default().to_uppercase();
        } else if word == "-x" {
            let address = words.next().cloned().unwrap_or_default();
            let parts: Vec<&str> = address.rsplit('.').collect();
            asked.name = format!("{}.in-addr.arpa.", parts.join("."));
            asked.kind = "PTR".to_owned();
        } else if word.starts_with('-') {
            return Err(format!("Invalid option: {word}\nUsage:  dig [@global-server] [domain] [q-type]\n"));
        } else if TYPES.contains(&word.to_uppercase().as_str()) {
            asked.kind = word.to_uppercase();
        } else if !word.eq_ignore_ascii_case("IN") {
            asked.name.clone_from(word);
        }
    }
    if asked.kind.is_empty() {
        asked.kind = "A".to_owned();
    }
    if asked.name.is_empty() {
        ".".clone_into(&mut asked.name);
    }
    Ok(asked)
}

pub(super) fn dig(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let asked = match read(ctx, args) {
        Ok(asked) => asked,
        Err(said) => {
            ctx.err(said);
            return 1;
        }
    };
    let plain = asked.name.trim_end_matches('.').to_owned();
    let (name, addresses, status) = match ctx.host.resolve(&plain) {
        // Without `+search` a name is a whole one.
        Ok(found) if asked.search || found.name == plain => (found.name, found.addresses, "NOERROR"),
        Err(NetError::NoAnswer) => {
            ctx.out(format!(
                ";; communications error to {0}#53: timed out\n;; no servers could be reached\n",
                asked.server
            ));
            return 9;
        }
        _ => (plain, Vec::new(), "NXDOMAIN"),
    };
    let of_kind = matches!(asked.kind.as_str(), "A" | "ANY");
    let addresses = if of_kind { addresses } else { Vec::new() };
    if asked.short {
        let text: String = addresses.iter().map(|address| format!("{address}\n")).collect();
        ctx.out(text);
        return 0;
    }
    let mut text = String::new();
    if asked.around {
        let (command, count) = (args.get(1..).unwrap_or_default().join(" "), addresses.len());
        text.push_str(&format!(
            "\n; <<>> DiG 9.18.39 <<>> {command}\n;; global options: +cmd\n;; Got answer:\n\
             ;; ->>HEADER<<- opcode: QUERY, status: {status}, id: {}\n\
             ;; flags: qr aa rd; QUERY: 1, ANSWER: {count}, AUTHORITY: 0, ADDITIONAL: 1\n\
             ;; WARNING: recursion requested but not available\n\n\
             ;; QUESTION SECTION:\n;{name}.\t\tIN\t{}\n\n",
            ctx.host.random() & 0xffff,
            asked.kind
        ));
    }
    if asked.answer && !addresses.is_empty() {
        if asked.around {
            text.push_str(";; ANSWER SECTION:\n");
        }
        for address in &addresses {
            text.push_str(&format!("{name}.\t{TTL}\tIN\tA\t{address}\n"));
        }
        if asked.around {
            text.push('\n');
        }
    }
    if asked.around {
        let protocol = if asked.tcp { "TCP" } else { "UDP" };
        text.push_str(&format!(
            ";; Query time: 0 msec\n;; SERVER: {0}#53({0}) ({protocol})\n\n",
            asked.server
        ));
    }
    ctx.out(text);
    0
}
