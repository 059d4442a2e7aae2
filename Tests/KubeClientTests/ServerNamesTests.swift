import Testing

@testable import KubeClient

/// Whose certificates are taken.
@Suite struct ServerNamesTests {
    private static let loopback: [UInt8] = [127, 0, 0, 1]
    private static let long: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

    @Test(
        "a name is one of the certificate's names, an address one of its addresses, and neither is the other",
        arguments: [
            (["api.test"], [], "api.test", true), (["api.test"], [], "API.test.", true),
            (["API.Test."], [], "api.test", true), (["api.test"], [], "other.test", false),
            (["api.test"], [], "a.api.test", false), (["*.test"], [], "api.test", true),
            (["*.test"], [], "a.api.test", false), (["*.test"], [], ".test", false), (["*"], [], "localhost", false),
            (["a*.test"], [], "api.test", false), (["api.*"], [], "api.test", false),
            (["api..test"], [], "api..test", false),
            (["\u{212a}ube.test"], [], "kube.test", false), ([], [loopback], "localhost", false),
            ([], [loopback], "other.example", false), ([], [loopback], "127.0.0.1", true),
            (["127.0.0.1"], [], "127.0.0.1", false), ([], [loopback], "127.0.0.2", false),
            ([], [long], "::1", true), ([], [], "api.test", false),
        ] as [([String], [[UInt8]], String, Bool)])
    func names(dns: [String], addresses: [[UInt8]], name: String, isTaken: Bool) {
        #expect(ServerNames(dns: dns, addresses: addresses).include(name) == isTaken)
    }

    @Test(
        "host names are what can be asked for and stand in a certificate",
        arguments: [
            ("api.test", true), ("api.test.", true), ("a_b", true), ("10.0.0.1", true), ("fd00::1", true), ("", false),
            (".", false), ("a..b", false), ("a b", false), ("a/b", false), ("a:b", false), ("b\u{fc}cher.test", false),
        ])
    func hosts(text: String, isSound: Bool) {
        #expect(HostName.isSound(text) == isSound)
    }
}
