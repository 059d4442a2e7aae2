import Foundation
import Testing

/// The policies of examples/l7 on what people run: "dnsmasq, nginx, curl, dig through a Service address of the DNS pod, openssl
/// s_client, a gRPC client".
@Suite(
    "examples/l7 with real servers",
    .enabled(
        if: geteuid() == 0 && RealServers.missing.isEmpty
            && ProcessInfo.processInfo.environment["NETPOLD_REAL_SERVERS"] != nil,
        "hangs with Foundation's processes so far; NETPOLD_REAL_SERVERS=1 runs it, as root, with \(RealServers.tools.joined(separator: ", "))"
    ),
    .serialized)
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
        let grpc = [
            "--http2-prior-knowledge", "-X", "POST", "-H", "content-type: application/grpc", "-D", "-", "-o",
            "/dev/null",
        ]
        let inventory = "http://10.30.0.14:50051/shop.Inventory"
        #expect(try world.curl("api", "\(inventory)/Get", grpc).contains("grpc-status: 0"))
        #expect(try world.curl("api", "\(inventory)/Set", grpc).contains("grpc-status: 7"))
    }
}
