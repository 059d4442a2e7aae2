import Foundation
import KubeClient
import Testing

/// What kubeconfigs come to, and what is said of those that come to nothing.
struct KubeconfigTests {
    /// A folder that is gone with this object.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "kubeconfig-\(UUID())").path()

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        @discardableResult
        func write(_ name: String, _ text: String) throws -> String {
            try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
            return "\(path)/\(name)"
        }
    }

    private static func text(cluster: String = "server: https://api.test:6443", user: String = "token: abc") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: dev
        contexts:
        - name: dev
          context: {cluster: one, user: me}
        clusters:
        - name: one
          cluster:
            \(cluster.replacing("\n", with: "\n    "))
        users:
        - name: me
          user:
            \(user.replacing("\n", with: "\n    "))
        """
    }

    private func access(_ text: String, context: String? = nil) throws -> ClusterAccess {
        let folder = try Folder()
        return try Kubeconfig(try folder.write("config", text)).access(context: context)
    }

    private func refusal(_ text: String, context: String? = nil) throws -> String {
        do throws(KubeconfigError) {
            let folder = try? Folder()
            let file = (try? folder?.write("config", text)) ?? ""
            _ = try Kubeconfig(file).access(context: context)
        } catch {
            return "\(error)"
        }
        return "taken"
    }

    @Test func theCurrentContextIsTaken() throws {
        let access = try access(Self.text())
        #expect("\(access.server)" == "https://api.test:6443")
        #expect(access.credentials == .token("abc"))
        #expect(access.authorities == nil && access.clientCertificate == nil && access.proxy == nil)
    }

    @Test func certificatesComeInlineOrFromFilesBesideTheKubeconfig() throws {
        let folder = try Folder()
        try folder.write("ca.crt", "CA")
        try folder.write("me.crt", "CERT")
        try folder.write("me.key", "KEY")
        let config = try folder.write(
            "config",
            Self.text(
                cluster:
                    "server: https://[fd00::1]:6443/k8s/\ncertificate-authority: ca.crt\ntls-server-name: api.internal",
                user: "client-certificate: me.crt\nclient-key: me.key"))
        let access = try Kubeconfig(config).access(context: nil)
        #expect(access.server.host == "fd00::1" && access.server.prefix == "/k8s")
        #expect("\(access.server)" == "https://[fd00::1]:6443/k8s")
        #expect(access.authorities == .file("\(folder.path)/ca.crt"))
        #expect(access.serverName == "api.internal")
        #expect(access.clientCertificate?.certificate == .file("\(folder.path)/me.crt"))
        let inline = try self.access(
            Self.text(
                cluster: "server: https://api.test\ncertificate-authority-data: Q0E=",
                user: "client-certificate-data: Q0VSVA==\nclient-key-data: S0VZ"))
        #expect(inline.server.port == 443)
        #expect(inline.authorities == .data(Array("CA".utf8)))
        #expect(inline.clientCertificate?.key == .data(Array("KEY".utf8)))
    }

    @Test func severalFilesAreMergedAsByKubectl() throws {
        let folder = try Folder()
        let first = try folder.write(
            "first",
            """
            current-context: b
            clusters: [{name: c, cluster: {server: "https://first:1"}}]
            """)
        let second = try folder.write(
            "second",
            """
            current-context: a
            contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: v}}]
            clusters: [{name: c, cluster: {server: "https://second:2"}}]
            users: [{name: u, user: {token: uu}}, {name: v, user: {token: vv}}]
            """)
        let access = try Kubeconfig("\(first):\(folder.path)/missing:\(second)").access(context: nil)
        #expect(access.server.host == "first" && access.credentials == .token("vv"))
        #expect(try Kubeconfig("\(first):\(second)").access(context: "a").credentials == .token("uu"))
    }

    @Test func tokenFilesCountBeforeTokensAndProxiesAreRead() throws {
        let access = try access(
            Self.text(
                cluster: "server: https://api.test\nproxy-url: http://u:p@proxy.test:3128",
                user: "token: x\ntokenFile: /run/token"))
        #expect(access.credentials == .tokenFile("/run/token"))
        #expect(access.proxy?.host == "proxy.test" && access.proxy?.port == 3128 && access.proxy?.isSOCKS == false)
        let socks = try self.access(Self.text(cluster: "server: https://api.test\nproxy-url: socks5://[::1]"))
        #expect(socks.proxy?.isSOCKS == true && socks.proxy?.host == "::1" && socks.proxy?.port == 1080)
    }

    /// Each refusal names file and key, and what to do.
    @Test(arguments: [
        (
            "server: https://api.test\ninsecure-skip-tls-verify: true", "token: a",
            "insecure-skip-tls-verify: netpold always verifies", "certificate-authority-data"
        ),
        ("server: http://api.test:8080", "token: a", "server: netpold only speaks TLS", "https"),
        ("server: ftp://api.test", "token: a", "is no https URL", "write https://HOST:PORT"),
        ("certificate-authority-data: Q0E=", "token: a", "it has no server", "write server:"),
        (
            "server: https://a\ncertificate-authority-data: '*'", "token: a",
            "certificate-authority-data: it is no base64", "base64 -w0"
        ),
        ("server: https://a\ncertificate-authority: gone.crt", "token: a", "certificate-authority: ", "--flatten"),
        ("server: https://a\nproxy-url: https://p", "token: a", "is no proxy that netpold can use", "socks5://"),
        ("server: https://a\nproxy-url: http://p:99999", "token: a", "proxy-url: its host is no", "http://HOST:PORT"),
        (
            "server: https://a\ntls-server-name: 'a b/@:x'", "token: a", "is no host name or IP address",
            "the API server's certificate has"
        ),
        ("server: https://a%20b", "token: a", "is no https URL", "write https://HOST:PORT"),
        ("<<: {server: 'https://a'}", "token: a", "netpold reads no merge keys (<<)", "--flatten"),
        ("server: https://a", "<<: {token: a}", "netpold reads no merge keys (<<)", "--flatten"),
        ("server: https://a", "token: a\nas: admin", "user.as: netpold does not impersonate", "service account"),
        ("server: https://a", "auth-provider: {name: gcp}", "auth-provider has been removed", "exec plugin"),
        (
            "server: https://a", "client-certificate-data: Q0E=", "a client-certificate without client-key",
            "client-key-data"
        ),
        ("server: https://a", "token: \"a\\nb\"", "user.token: it is no token", "kubectl create token"),
        (
            "server: https://a", "exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}",
            "exec.apiVersion: \"client.authentication.k8s.io/v1alpha1\" is not spoken", "v1"
        ),
        ("server: https://a", "exec: {apiVersion: client.authentication.k8s.io/v1}", "it names no command", "command:"),
        (
            "server: https://a", "token: x\nexec: {command: x, apiVersion: client.authentication.k8s.io/v1}",
            "other credentials besides exec", "keep one"
        ),
        (
            "server: https://a",
            "exec: {command: x, interactiveMode: Always, apiVersion: client.authentication.k8s.io/v1}", "nobody to ask",
            "service account"
        ),
    ])
    func whatCannotBeDoneIsSaid(cluster: String, user: String, problem: String, fix: String) throws {
        let text = try refusal(Self.text(cluster: cluster, user: user))
        #expect(text.contains(problem) && text.contains(fix), "\(text)")
        #expect(text.contains("/config:"), "the file is named: \(text)")
    }

    @Test("a mark of the byte order at its beginning is no part of a kubeconfig")
    func byteOrderMarks() throws {
        #expect(try access("\u{feff}\(Self.text())").credentials == .token("abc"))
    }

    @Test func namesThatAreMissingAreSaidWithThoseThatAreThere() throws {
        #expect(
            try refusal(Self.text(), context: "prod").contains("there is no context \"prod\"; the contexts are: dev"))
        let noUser = Self.text().replacing("- name: me", with: "- name: you")
        #expect(try refusal(noUser).contains("there is no user \"me\"; the users are: you"))
        let noCurrent = Self.text().replacing("current-context: dev", with: "")
        #expect(try refusal(noCurrent).contains("choose with --context: dev"))
        #expect(try refusal("- a").contains("a kubeconfig is a map"))
        #expect(try refusal("a: [").contains("it is no YAML"))
        #expect(throws: KubeconfigError.self) { try Kubeconfig("/nowhere/config") }
        #expect(throws: KubeconfigError.self) { try Kubeconfig("/nowhere/a:/nowhere/b") }
    }

    @Test func secretsAreInNoMessage() throws {
        for user in [
            "token: SECRET\nas: x", "token: SECRET\nexec: {command: x, apiVersion: client.authentication.k8s.io/v1}",
        ] {
            let text = try refusal(Self.text(user: user))
            #expect(!text.contains("SECRET"))
        }
    }

    @Test func serviceAccountsNeedTheirFiles() throws {
        let folder = try Folder()
        let variables = ["KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"]
        #expect(!InClusterAccess.isThere(folder: folder.path, environment: variables))
        try folder.write("token", "abc\n")
        #expect(throws: KubeconfigError.self) {
            try InClusterAccess.access(folder: folder.path, environment: variables)
        }
        try folder.write("ca.crt", "CA")
        #expect(InClusterAccess.isThere(folder: folder.path, environment: variables))
        #expect(!InClusterAccess.isThere(folder: folder.path, environment: [:]))
        let access = try InClusterAccess.access(folder: folder.path, environment: variables)
        #expect(access.credentials == .tokenFile("\(folder.path)/token"))
        #expect("\(access.server)" == "https://10.0.0.1:443")
        #expect(throws: KubeconfigError.self) { try InClusterAccess.access(folder: folder.path, environment: [:]) }
    }
}
