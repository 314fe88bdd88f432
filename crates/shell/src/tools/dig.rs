//! `dig`: what the name server says of a name.

use crate::context::Ctx;
use crate::host::{DnsData, DnsRecord, DnsReply, DnsType, NetError};

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
            asked.name = reverse(words.next().map_or("", String::as_str)) + ".";
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
    let wanted = type_of(&asked.kind);
    let (reply, status) = match ctx.host.query(&asked.name, wanted, asked.search) {
        Ok(reply) => (reply, "NOERROR"),
        Err(NetError::NoAnswer) => {
            ctx.out(format!(
                ";; communications error to {0}#53: timed out\n;; no servers could be reached\n",
                asked.server
            ));
            return 9;
        }
        Err(_) => {
            let name = asked.name.trim_end_matches('.').to_owned();
            (DnsReply { name, ..DnsReply::default() }, "NXDOMAIN")
        }
    };
    if asked.short {
        let text: String = reply.answers.iter().map(|record| format!("{}\n", said(&record.data))).collect();
        ctx.out(text);
        return 0;
    }
    let mut text = String::new();
    if asked.around {
        let command = args.get(1..).unwrap_or_default().join(" ");
        text.push_str(&format!(
            "\n; <<>> DiG 9.18.39 <<>> {command}\n;; global options: +cmd\n;; Got answer:\n\
             ;; ->>HEADER<<- opcode: QUERY, status: {status}, id: {}\n\
             ;; flags: qr aa rd; QUERY: 1, ANSWER: {}, AUTHORITY: 0, ADDITIONAL: {}\n\
             ;; WARNING: recursion requested but not available\n\n\
             ;; QUESTION SECTION:\n;{}.\t\tIN\t{}\n\n",
            ctx.host.random() & 0xffff,
            reply.answers.len(),
            reply.additional.len() + 1,
            reply.name,
            asked.kind
        ));
    }
    let sections =
        [("ANSWER", &reply.answers, asked.answer), ("ADDITIONAL", &reply.additional, asked.around)];
    for (title, records, shown) in sections {
        if !shown || records.is_empty() {
            continue;
        }
        if asked.around {
            text.push_str(&format!(";; {title} SECTION:\n"));
        }
        records.iter().for_each(|record| text.push_str(&line(record)));
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

/// The type of records by its name.
pub(super) fn type_of(name: &str) -> DnsType {
    match name.to_ascii_uppercase().as_str() {
        "A" | "ANY" => DnsType::A,
        "CNAME" => DnsType::Cname,
        "PTR" => DnsType::Ptr,
        "SRV" => DnsType::Srv,
        _ => DnsType::Other,
    }
}

/// The name under which an address has its names, without a trailing dot.
pub(super) fn reverse(address: &str) -> String {
    let parts: Vec<&str> = address.rsplit('.').collect();
    format!("{}.in-addr.arpa", parts.join("."))
}

/// What a record says, as zone files write it.
fn said(data: &DnsData) -> String {
    match data {
        DnsData::A(address) => address.clone(),
        DnsData::Cname(name) | DnsData::Ptr(name) => format!("{name}."),
        DnsData::Srv { weight, port, target } => format!("0 {weight} {port} {target}."),
    }
}

fn line(record: &DnsRecord) -> String {
    let word = match record.data {
        DnsData::A(_) => "A",
        DnsData::Cname(_) => "CNAME",
        DnsData::Ptr(_) => "PTR",
        DnsData::Srv { .. } => "SRV",
    };
    format!("{}.\t{TTL}\tIN\t{word}\t{}\n", record.name, said(&record.data))
}
