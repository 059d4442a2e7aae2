import Foundation
import Testing

/// The policies of examples/l7 on what people run: "dnsmasq, nginx, curl, dig through a Service address of the DNS pod, openssl
/// s_client, a gRPC client".
@Suite(
    "examples/l7 with real servers",
    .enabled(
        if: geteuid() == 0 && RealServers.missing.isEmpty,
        "needs root and scripts/install-deps.sh \(RealServers.packages)"), .serialized)
struct RealServersTests {
    @Test(
        "DNS through the Service: names that rules allow are answered, others REFUSED; what is learnt opens, for who asked"
    )
    func names() throws {
        let world = try RealServers()
        // Before anybody has asked.
        #expect(try world.curl("billing", "https://198.51.100.20/") == "000")
        #expect(try world.dig("billing", "api.stripe.com") == "NOERROR 198.51.100.20")
        #expect(try world.curl("billing", "https://198.51.100.20/").hasSuffix(" 200"))
        #expect(try world.dig("billing", "pypi.org") == "REFUSED")
        #expect(try world.dig("billing", "js.stripe.com") == "NOERROR 198.51.100.21")
        #expect(try world.curl("billing", "https://198.51.100.21/") == "000")
        #expect(try world.dig("web", "api.stripe.com") == "REFUSED")
        #expect(try world.dig("web", "api.shop.svc.cluster.local") == "NOERROR 10.30.0.13")
        #expect(try world.dig("fetcher", "api.stripe.com") == "NOERROR 198.51.100.20")
        // With EDNS and its cookie (dig's default), with more flags, in other case.
        #expect(try world.dig("billing", "API.stripe.COM", ["+bufsize=1232", "+dnssec"]) == "NOERROR 198.51.100.20")
    }

    @Test(
        "DNS over TCP, through the proxy: the same answers, learnt before the client has them, with and without an agent"
    )
    func namesOverTCP() throws {
        let world = try RealServers()
        #expect(try world.curl("billing", "https://198.51.100.20/") == "000")
        #expect(try world.dig("billing", "pypi.org", ["+tcp"]) == "REFUSED")
        #expect(try world.dig("billing", "js.stripe.com", ["+tcp"]) == "NOERROR 198.51.100.21")
        #expect(try world.curl("billing", "https://198.51.100.20/") == "000")
        #expect(try world.dig("billing", "api.stripe.com", ["+tcp"]) == "NOERROR 198.51.100.20")
        #expect(try world.curl("billing", "https://198.51.100.20/").hasSuffix(" 200"))
        #expect(try world.curl("billing", "https://198.51.100.21/") == "000")
        // Nobody else has learnt it, and the agent has heard of it.
        #expect(try world.curl("web", "https://198.51.100.20/") == "000")
        let names = try world.agent.ask("names").output
        #expect(names.contains(#/shop/billing +api.stripe.com +198.51.100.20/#), "\(names)")
    }

    @Test("without an agent DNS over TCP is filtered and learnt all the same; the next agent hears of it")
    func namesOverTCPUnattended() throws {
        let world = try RealServers()
        world.agent.end(SIGKILL)
        #expect(try world.dig("billing", "pypi.org", ["+tcp"]) == "REFUSED")
        #expect(try world.dig("billing", "api.stripe.com", ["+tcp"]) == "NOERROR 198.51.100.20")
        #expect(try world.curl("billing", "https://198.51.100.20/").hasSuffix(" 200"))
        try world.agent.start(RealServers.options)
        #expect(try world.curl("billing", "https://198.51.100.20/").hasSuffix(" 200"))
        // It reads what was told meanwhile beside its first work.
        var names = ""
        for _ in 0..<100 where !names.contains("api.stripe.com") {
            names = try world.agent.ask("names").output
            usleep(50_000)
        }
        #expect(names.contains(#/shop/billing +api.stripe.com +198.51.100.20/#), "\(names)")
    }

    @Test("TLS: the name in the ClientHello decides, with the key shares of today's openssl")
    func serverNames() throws {
        let world = try RealServers()
        #expect(try world.handshake("fetcher", "198.51.100.30", "pypi.org"))
        #expect(try world.handshake("fetcher", "198.51.100.20", "a.b.example.org"))
        #expect(try !world.handshake("fetcher", "198.51.100.30", "example.org"))
        #expect(try !world.handshake("fetcher", "198.51.100.30", nil))
    }

    @Test(
        "HTTP: GET and POST with a header as the rules say, 403 otherwise; another peer past the proxy; gRPC status 7")
    func requests() throws {
        let world = try RealServers()
        let api = "http://10.30.0.13:8080"
        #expect(try world.curl("web", "\(api)/api/v2/users/7") == "api 200")
        #expect(try world.curl("web", "\(api)/api/v1/users") == "Access denied 403")
        #expect(try world.curl("web", "\(api)/api/v2/orders", ["-X", "POST", "-H", "X-Api-Version: 2"]) == "api 200")
        #expect(try world.curl("web", "\(api)/api/v2/orders", ["-X", "POST"]) == "Access denied 403")
        #expect(try world.curl("admin", "\(api)/anything") == "api 200")
        #expect(try world.curl("billing", "\(api)/api/v2/users") == "000")
        #expect(try world.call("api", "10.30.0.14:50051", "/shop.Inventory/Get") == "OK")
        #expect(try world.call("api", "10.30.0.14:50051", "/shop.Inventory/Set") == "PERMISSION_DENIED Access denied")
    }

    @Test(
        "monitor shows requests that the proxy denies, with the rule that came nearest, and only to whom they concern")
    func monitoredRequests() throws {
        let world = try RealServers()
        let api = "http://10.30.0.13:8080"
        func seen(_ arguments: String...) throws -> String {
            try world.agent.monitored(arguments) { () throws in
                #expect(try world.curl("web", "\(api)/api/v2/users/7") == "api 200")
                #expect(try world.curl("web", "\(api)/api/v1/users?key=hunter2") == "Access denied 403")
                #expect(try world.dig("billing", "pypi.org", ["+tcp"]) == "REFUSED")
                #expect(
                    try world.call("api", "10.30.0.14:50051", "/shop.Inventory/Set")
                        == "PERMISSION_DENIED Access denied")
            }
        }
        let all = try seen("--drops")
        #expect(
            all.contains(#/DENIED +shop\/web .* -> shop\/api .*: GET 10.30.0.13:8080\/api\/v1\/users\?key=\.\.\.\n/#),
            "\(all)")
        #expect(all.contains(#/nearest rule CiliumNetworkPolicy shop\/api .*: it fails .*path/#), "\(all)")
        #expect(all.contains(#/DENIED +shop\/api .*: POST .*\/shop.Inventory\/Set\n/#), "\(all)")
        #expect(all.contains(#/DENIED +shop\/billing .*: pypi.org\n/#), "\(all)")
        #expect(!all.contains("hunter2") && !all.contains("users/7"))
        let ofBilling = try seen("--pod", "shop/billing")
        #expect(ofBilling.contains("pypi.org") && !ofBilling.contains("/api/v1/users"), "\(ofBilling)")
        #expect(try seen("--drops", "--json").contains(#""path":"/api/v1/users?key=...""#))
    }
}
