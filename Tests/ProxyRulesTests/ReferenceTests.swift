import HTTPScan
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import ProxyRules

@Suite("Compiled rules beside the reference matcher")
struct ReferenceTests {
    private static let methods = ["", "GET", "GET|HEAD", "P.*", "(?i)get", "DELETE", "["]
    private static let paths = [
        "", "/", "/api/.*", "/api/v1", "/api/v1\\?x=1", "/api/v[0-9]+", "/.*[.]png", "/a(b|c)?", "/api/v1?x=1",
    ]
    private static let hosts = ["", "shop", "shop[.]example[.]com", ".*", "shop.example.com(:80)?", "shop:80"]
    private static let headers = [
        "X-Token", "X-Token: a", "x-token a,b", "X-Token:  a", "X-Token: ", "Host: shop", "Host", "X:y", "Accept: */*",
        "X-Token: a,",
    ]
    private static let actions = ["", "LOG", "ADD", "DELETE", "REPLACE"]

    private static func rule(_ random: inout SplitMix64) -> HTTPRule {
        HTTPRule(
            method: random.pick(methods), path: random.once(in: 3) ? "" : random.pick(paths),
            host: random.once(in: 2) ? "" : random.pick(hosts),
            headers: random.once(in: 2) ? [] : random.some(headers, upTo: 2),
            headerMatches: (0..<random.below(3)).map { _ in
                HeaderMatch(
                    name: random.pick(["X-Token", "Host", "Accept", "X-New"]),
                    value: random.pick([nil, "a", "b", "", "shop"]),
                    mismatch: random.pick(actions), secret: random.once(in: 6) ? "a/b" : nil)
            })
    }

    private static func request(_ random: inout SplitMix64) -> HTTPRequest {
        HTTPRequest(
            method: random.pick(["GET", "PUT", "HEAD", "DELETE", "PATCH"]),
            path: random.pick([
                "/", "/api/v1", "/api/v1?x=1", "/api/", "/x.png", "/ab", "/a", "/api/v12", "/%61", "//api/v1",
            ]),
            host: random.pick(["shop", "shop.example.com", "shop:80", "SHOP"]),
            headers: random.some(
                [
                    .init("X-Token", "a"), .init("x-token", "b"), .init("X-TOKEN", ""), .init("Accept", "*/*"),
                    .init("X", "y"), .init("X_Token", "a"), .init("x_new", "b"),
                    .init("Connection", "keep-alive, X-Token"), .init("Connection", "x_new"), .init("connection", "X"),
                ], upTo: 4))
    }

    @Test(
        "random rules decide random requests alike, with the same actions and the same request behind them",
        arguments: 0..<8)
    func alike(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let origin = RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "p", path: "spec")
        var (permitted, rewritten, ended) = (0, 0, 0)
        for _ in 0..<400 {
            let rules = (0..<random.below(4) + 1).map { _ in ReferenceTests.rule(&random) }
            let reference = L7Matcher([(0, .http(rules.map { Located($0) }), origin)])
            let side = CompiledSide(rules.map { CompiledRule($0, origin: origin) })
            let request = ReferenceTests.request(&random)
            let bytes = try RequestBytes(request)
            switch (reference.decide(.http(request)), bytes.decide(side)) {
            case (.denied, .denied(let nearest, let failed)):
                #expect(nearest != nil && !failed.isEmpty)
            case (.permitted(_, let expected), .permitted(_, let actions)):
                permitted += 1
                #expect(actions == expected, "\(rules) \(request)")
                let answer = bytes.decide(FlowRules(egress: side, ingress: nil))
                let both = RequestDecision(.http(request), egress: reference, ingress: nil)
                #expect(answer.namesRuleField == (both.endedField != nil), "\(rules) \(request)")
                #expect((answer.isPermitted || answer.actionsBreakRequest) == both.isPermitted, "\(rules) \(request)")
                if both.endedField != nil { ended += 1 }
                if let head = answer.rewritten {
                    rewritten += 1
                    let sent = try RequestBytes(request.applying(expected))
                    #expect(ReferenceTests.fields(head) == ReferenceTests.fields(sent.bytes))
                }
            case (let expected, let found): Issue.record("\(expected) but \(found): \(rules) \(request)")
            }
        }
        // A generator that permits or changes nothing would show nothing.
        #expect(permitted > 40 && rewritten > 5 && ended > 5)
    }

    /// The request line and the lines of a head, sorted: the reference keeps the authority apart from the other fields.
    private static func fields(_ head: [UInt8]) -> [String] {
        String(decoding: head, as: UTF8.self).split(separator: "\r\n").map(String.init).sorted()
    }
}
