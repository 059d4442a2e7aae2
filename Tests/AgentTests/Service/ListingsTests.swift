import BPFEmit
import NetTypes
import PolicyAPI
import Support
import Testing

@testable import Agent

/// Listings over the socket: whole, in pages, and bounded whoever asks.
@Suite(.timeLimit(.minutes(3))) struct ListingsTests {
    private func rows(_ count: Int, label: String) -> [IdentityReport] {
        (0..<UInt32(count)).map { IdentityReport(identity: $0, label: label, addresses: 1, prefixes: 0) }
    }

    /// Follows `next` to the end.
    private func pages(_ rows: [IdentityReport]) throws -> [[IdentityReport]] {
        var request = ListRequest(.identities)
        var pages: [[IdentityReport]] = []
        while true {
            let line = Listings.line(rows, request, 7)
            #expect(line.count <= 300 << 10)
            guard case .page(let page) = try MessageCodec().decode(APIReply.self, from: line.dropLast()) else {
                throw TestFailure("no page")
            }
            pages.append(IdentityReport.unwrap(page.rows) ?? [])
            #expect(page.leftOut == 7)
            guard let next = page.next else { return pages }
            request.after = next
        }
    }

    @Test("pages make up the listing, each row once, in order; long rows make pages of fewer rows")
    func pages() throws {
        #expect(try pages([]).map(\.count) == [0])
        for count in [1, 499, 500, 501, 1700] {
            let all = rows(count, label: "app=web")
            let pages = try pages(all)
            #expect(pages.flatMap(\.self) == all && pages.count == (count + 499) / 500)
        }
        let long = rows(40, label: String(repeating: "x", count: 50_000))
        let pages = try pages(long)
        #expect(pages.flatMap(\.self) == long && pages.count > 5)
        let huge = rows(2, label: String(repeating: "x", count: 280 << 10))
        #expect(try self.pages(huge).map(\.count) == [1, 1])
    }

    @Test("a namespace's rows alone; a place that is gone goes on behind it")
    func filters() throws {
        let all = ["a/x", "b/y", "b/z"].map { name in
            ServiceRow(
                service: name, address: "10.0.0.1", port: 80, protocol: "TCP", kind: "cluster IP", portName: nil,
                backends: [])
        }
        func names(_ request: ListRequest) throws -> [String] {
            let line = Listings.line(all, request, 0)
            guard case .page(let page) = try MessageCodec().decode(APIReply.self, from: line.dropLast()) else {
                return []
            }
            return (ServiceRow.unwrap(page.rows) ?? []).map(\.service)
        }
        #expect(try names(ListRequest(.services, namespace: "b")) == ["b/y", "b/z"])
        #expect(try names(ListRequest(.services, namespace: "c")).isEmpty)
        #expect(try names(ListRequest(.services, after: "b/w")) == ["b/y", "b/z"])
        #expect(try names(ListRequest(.services, after: "z")).isEmpty)
    }

    @Test("the node's own rows, and those of interfaces without a pod, are of no namespace, not of one called `host`")
    func host() throws {
        let all = ["\(EndpointKey.host)", "host/web"].map {
            RuleReport(pod: $0, direction: "ingress", number: 0, verdict: .allow, sharedWith: 0)
        }
        func pods(_ namespace: String?) throws -> [String] {
            let line = Listings.line(all, ListRequest(.rules, namespace: namespace), 0)
            guard case .page(let page) = try MessageCodec().decode(APIReply.self, from: line.dropLast()) else {
                throw TestFailure("no page")
            }
            return (RuleReport.unwrap(page.rows) ?? []).map(\.pod)
        }
        #expect(try pods(nil) == ["host", "host/web"])
        #expect(try pods("host") == ["host/web"])
        #expect(Listing.namespace(of: "net:[4026531840]") == nil)
        #expect(Listing.namespace(of: "/run/netns/x") == nil)
    }

    @Test("every listing is answered; policies say what is refused, and flows beyond the limit are counted")
    func live() async throws {
        let scratch = try ScratchFolder()
        let world = FakeWorld()
        world.state.withLock { state in
            state.snapshot = [
                "a.yaml": ManifestFile(
                    objects: [
                        .pod(Fixtures.pod("web", "10.0.0.1")),
                        Fixtures.policy("web", app: "web", directions: [.ingress]),
                    ], refused: [])
            ]
            state.node = Fixtures.host([(7, "10.0.0.1")])
            let address = IPAddress(parsing: "10.0.0.1") ?? IPAddress(ipv4: 0)
            state.flows = (0..<2500).map { number in
                RememberedFlow(
                    slot: 0, own: .init(address: address, port: UInt16(number)),
                    remote: .init(address: address, port: 80), protocol: .tcp, role: .initiator, translation: nil,
                    isAnswered: true, silentSeconds: 1, revision: 1)
            }
        }
        let service = try RunningService(world, socket: scratch.file("s"))
        await service.start()
        let client = try WaitingClient(path: scratch.file("s"))
        for listing in Listing.allCases {
            try client.send(.list(ListRequest(listing)))
            guard case .page(let page) = try await client.next() else { throw TestFailure("\(listing)") }
            switch listing {
            case .endpoints: #expect(EndpointReport.unwrap(page.rows)?.map(\.name) == ["shop/web"])
            case .policies:
                #expect(PolicyReport.unwrap(page.rows)?.map(\.text) == ["NetworkPolicy shop/web"])
                #expect(PolicyReport.unwrap(page.rows)?.map(\.state) == [.inForce])
            case .conntrack:
                #expect(FlowRow.unwrap(page.rows)?.count == 500)
                #expect(page.leftOut == 500 && page.next != nil)
            case .maps: #expect(CapacityUse.unwrap(page.rows)?.map(\.name) == ["np_flows"])
            case .names, .rules, .identities, .services: break
            }
        }
        try client.send(.list(ListRequest(.conntrack, namespace: "elsewhere")))
        guard case .page(let none) = try await client.next() else { throw TestFailure("no page") }
        #expect(FlowRow.unwrap(none.rows)?.isEmpty == true && none.leftOut == 0)
        await service.stop()
    }
}
