import Testing

@testable import BPFEmit

@Suite("Pass: resolve traffic")
struct TrafficResolverTests {
    private typealias Traffic = PolicyBits.ResolvedTraffic

    @Test("everything stays everything, nothing stays nothing")
    func ends() {
        #expect(TrafficResolver.split(.everything) == .init(plain: nil, names: []))
        #expect(TrafficResolver.split(.anyOf([])) == .init(plain: [], names: []))
    }

    @Test("numbers are sorted and joined, names set aside once each, by protocol")
    func split() {
        let split = TrafficResolver.split(
            .anyOf([
                .ports(.udp, .init(53)), .named(.tcp, "http"), .ports(.tcp, .init(80, 90)), .named(.udp, "http"),
                .named(.tcp, "http"), .ports(.tcp, .init(85, 100)),
            ]))
        #expect(split.plain == [Traffic(.tcp, .init(80, 100)), Traffic(.udp, .init(53))])
        #expect(split.names == [.init(name: "http", protocol: .tcp), .init(name: "http", protocol: .udp)])
    }

    @Test("of many names each is set aside once too, in the order of appearance")
    func manyNames() {
        let names = (0..<3_000).map { TrafficResolver.PortName(name: "n\($0 % 1_500)", protocol: .tcp) }
        let split = TrafficResolver.split(.anyOf(names.map { .named($0.protocol, $0.name) }))
        #expect(split.plain == [] && split.names == Array(names.prefix(1_500)))
    }

    @Test("overlaps and neighbours are joined, gaps and protocols stay, and the last port has no neighbour")
    func merged() {
        let merged = TrafficResolver.merged([
            Traffic(.tcp, .init(10, 20)), Traffic(.tcp, .init(12)), Traffic(.tcp, .init(21, 30)),
            Traffic(.tcp, .init(32)), Traffic(.udp, .init(33)), Traffic(.tcp, .init(65535)),
            Traffic(.tcp, .init(65535)),
            Traffic(.udp, .init(0)),
        ])
        #expect(
            merged == [
                Traffic(.tcp, .init(10, 30)), Traffic(.tcp, .init(32)), Traffic(.tcp, .init(65535)),
                Traffic(.udp, .init(0)), Traffic(.udp, .init(33)),
            ])
    }

    @Test("names become the numbers an end has them under, none or several, joined with the others")
    func resolved() {
        let split = TrafficResolver.split(
            .anyOf([.ports(.tcp, .init(80)), .named(.tcp, "web"), .named(.udp, "web"), .named(.tcp, "gone")]))
        let resolved = split.resolved { $0.name == "web" ? ($0.protocol == .tcp ? [8080, 81] : [53]) : [] }
        #expect(resolved == [Traffic(.tcp, .init(80, 81)), Traffic(.tcp, .init(8080)), Traffic(.udp, .init(53))])
        #expect(TrafficResolver.split(.everything).resolved { _ in [1] } == nil)
        #expect(TrafficResolver.split(.anyOf([.named(.tcp, "gone")])).resolved { _ in [] } == [])
    }
}
