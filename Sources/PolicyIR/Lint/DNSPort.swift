/// The ports that DNS servers listen on, as policies name them.
enum DNSPort {
    /// "Port is the backend port of the DNS pods, e.g. 5353 on some distributions" (spec/cilium-network-policy.md 11).
    private static let numbers: [UInt16] = [53, 5353]

    /// Whether queries over a protocol may be sent to some port of DNS.
    static func isAllowed(_ protocol: L4Protocol, by traffic: TrafficMatch) -> Bool {
        numbers.contains { number in
            traffic.matches(protocol: `protocol`, port: number) { name, _ in
                // The usual names of a DNS pod's ports: dns, dns-tcp, domain.
                name.hasPrefix("dns") || name.hasPrefix("domain") ? numbers : []
            }
        }
    }
}
