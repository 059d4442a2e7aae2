import Foundation
import Support

/// Kubeconfig files, merged as kubectl does: of clusters, users and contexts of one name the first counts, and the first
/// `current-context`.
public struct Kubeconfig {
    private let files: [KubeconfigNode]
    private let names: [String]

    /// Reads files. Those that are missing are left out if there are several, as kubectl does with KUBECONFIG.
    ///
    /// - Parameter paths: one path, or several with colons between them.
    /// - Throws: when a file cannot be read or is no kubeconfig, and when none is there.
    public init(_ paths: String) throws(KubeconfigError) {
        let names = paths.split(separator: ":").map(String.init)
        var files: [KubeconfigNode] = []
        for name in names {
            if names.count > 1, !FileManager.default.fileExists(atPath: name) { continue }
            files.append(try KubeconfigNode(reading: name))
        }
        guard !files.isEmpty else {
            throw KubeconfigError(
                file: PrintableName.of(paths), problem: "there is no such kubeconfig",
                fix: "name one that exists, for example /etc/kubernetes/admin.conf")
        }
        self.files = files
        self.names = names
    }

    /// What a context comes to; `nil` is for `current-context`.
    ///
    /// - Throws: when it, its cluster or its user is missing, or says something that cannot be done.
    public func access(context name: String?) throws(KubeconfigError) -> ClusterAccess {
        let chosen = if let name { name } else { try currentContext() }
        let context = try find("contexts", "context", chosen, what: "context")
        guard let clusterName = try context.text("cluster") else {
            throw context.error("it names no cluster", "write cluster: with the name of one of the clusters")
        }
        let cluster = try find("clusters", "cluster", clusterName, what: "cluster")
        var access = try Kubeconfig.access(cluster: cluster)
        if let user = try context.text("user") {
            try Kubeconfig.add(try find("users", "user", user, what: "user"), cluster, &access)
        }
        access.origin = "\(PrintableName.of(context.path)) of \(names.map(PrintableName.of).joined(separator: ":"))"
        return access
    }

    private func currentContext() throws(KubeconfigError) -> String {
        for file in files {
            if let name = try file.text("current-context") { return name }
        }
        throw files[0].error(
            "it has no current-context",
            "choose with --context: \(try known("contexts")); or run `kubectl config use-context NAME`")
    }

    /// The names under a key, for messages.
    private func known(_ key: String) throws(KubeconfigError) -> String {
        var names: [String] = []
        for file in files {
            for element in try file.list(key) { if let name = try element.text("name") { names.append(name) } }
        }
        return names.isEmpty ? "it has none" : names.map(PrintableName.of).joined(separator: ", ")
    }

    /// The `inner` of the first element of `list` that has this name.
    private func find(
        _ list: String, _ inner: String, _ name: String, what: String
    ) throws(KubeconfigError) -> KubeconfigNode {
        for file in files {
            for element in try file.list(list) where try element.text("name") == name {
                guard let value = element[inner] else { throw element.error("it has no \(inner)", "write \(inner):") }
                return value
            }
        }
        throw KubeconfigError(
            file: names.map(PrintableName.of).joined(separator: ":"), key: list,
            problem: "there is no \(what) \"\(PrintableName.of(name))\"", fix: "the \(list) are: \(try known(list))")
    }

    // MARK: cluster

    private static func access(cluster: KubeconfigNode) throws(KubeconfigError) -> ClusterAccess {
        guard let text = try cluster.text("server"), let node = cluster["server"] else {
            throw cluster.error("it has no server", "write server: https://HOST:PORT")
        }
        guard let server = ServerURL(text) else {
            let isPlain = text.lowercased().hasPrefix("http://")
            throw node.error(
                isPlain
                    ? "netpold only speaks TLS, this is plain HTTP" : "this is no https URL of a server",
                isPlain
                    ? "use the API server's https address: whoever can change what is read over plain HTTP decides who may talk"
                    : "write https://HOST:PORT")
        }
        if try cluster.flag("insecure-skip-tls-verify"), let node = cluster["insecure-skip-tls-verify"] {
            throw node.error(
                "netpold always verifies the API server: whoever answers in its place would decide what is enforced",
                "remove it, and give certificate-authority-data: kubectl config set-cluster NAME --embed-certs --certificate-authority=ca.crt"
            )
        }
        return ClusterAccess(
            origin: "", server: server, authorities: try material(cluster, "certificate-authority"),
            serverName: try serverName(cluster), proxy: try proxy(cluster), credentials: .anonymous)
    }

    /// `KEY-data` in base64, which counts, or the file that `KEY` names.
    private static func material(
        _ node: KubeconfigNode, _ key: String
    ) throws(KubeconfigError) -> ClusterAccess.Material? {
        if let text = try node.text("\(key)-data"), let place = node["\(key)-data"] {
            let compact = text.filter { !$0.isWhitespace }
            guard let data = Data(base64Encoded: compact), !data.isEmpty else {
                throw place.error("it is no base64", "encode the PEM text: base64 -w0 FILE")
            }
            return .data([UInt8](data))
        }
        guard let path = try node.filePath(key), let place = node[key] else { return nil }
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw place.error(
                "\(PrintableName.of(path)) is not there, or cannot be read",
                "put it there, or embed it: kubectl config view --raw --flatten")
        }
        return .file(path)
    }

    private static func proxy(_ cluster: KubeconfigNode) throws(KubeconfigError) -> ClusterAccess.Proxy? {
        guard let text = try cluster.text("proxy-url"), let place = cluster["proxy-url"] else { return nil }
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme?.lowercased(), ["http", "socks5"].contains(scheme)
        else {
            throw place.error(
                "this is no proxy that netpold can use",
                "write http://HOST:PORT or socks5://HOST:PORT")
        }
        let isSOCKS = scheme == "socks5"
        let bare = ServerURL.bare(host)
        let port = parts.port ?? (isSOCKS ? 1080 : 80)
        guard HostName.isSound(bare), (1...65_535).contains(port) else {
            throw place.error(
                "its host is no host name or IP address, or its port is not from 1 to 65535",
                "write http://HOST:PORT or socks5://HOST:PORT")
        }
        return ClusterAccess.Proxy(
            isSOCKS: isSOCKS, host: bare, port: port, user: parts.user, password: parts.password)
    }

    private static func serverName(_ cluster: KubeconfigNode) throws(KubeconfigError) -> String? {
        guard let name = try cluster.text("tls-server-name"), let place = cluster["tls-server-name"] else { return nil }
        guard HostName.isSound(name) else {
            throw place.error(
                "\"\(PrintableName.of(name))\" is no host name or IP address",
                "write a name that the API server's certificate has")
        }
        return name
    }

    // MARK: user

    private static func add(
        _ user: KubeconfigNode, _ cluster: KubeconfigNode, _ access: inout ClusterAccess
    ) throws(KubeconfigError) {
        for key in ["as", "as-uid", "as-groups", "as-user-extra"] {
            if let place = user[key] {
                throw place.error(
                    "netpold does not impersonate others",
                    "give the agent a service account with the rights that it needs")
            }
        }
        if let place = user["auth-provider"] {
            throw place.error(
                "auth-provider has been removed from Kubernetes",
                "use an exec plugin of your provider, or a service account")
        }
        let certificate = try material(user, "client-certificate")
        let key = try material(user, "client-key")
        switch (certificate, key) {
        case (nil, nil): break
        case (let certificate?, let key?):
            access.clientCertificate = ClusterAccess.ClientCertificate(certificate: certificate, key: key)
        case (_?, nil): throw user.error("it has a client-certificate without client-key", "give client-key-data too")
        case (nil, _?):
            throw user.error("it has a client-key without client-certificate", "give client-certificate-data too")
        }
        // As client-go: the file of a token counts before the token.
        if let path = try user.filePath("tokenFile") {
            access.credentials = .tokenFile(path)
        } else if let token = try user.text("token"), let place = user["token"] {
            guard BearerToken.isSound(token) else { throw place.error("it is no token", BearerToken.fix) }
            access.credentials = .token(token)
        } else if let name = try user.text("username") {
            access.credentials = .password(user: name, password: try user.text("password") ?? "")
        }
        guard let exec = user["exec"] else { return }
        if access.credentials != .anonymous || access.clientCertificate != nil {
            throw exec.error("the user has other credentials besides exec", "keep one of them")
        }
        access.credentials = .exec(try plugin(exec, cluster, access))
    }

    private static func plugin(
        _ exec: KubeconfigNode, _ cluster: KubeconfigNode, _ access: ClusterAccess
    ) throws(KubeconfigError) -> ExecPlugin {
        let version = try exec.text("apiVersion") ?? ""
        guard ExecPlugin.versions.contains(version) else {
            throw (exec["apiVersion"] ?? exec).error(
                version.isEmpty ? "it has no apiVersion" : "\"\(PrintableName.of(version))\" is not spoken",
                "write apiVersion: \(ExecPlugin.versions[0]), if the plugin speaks it")
        }
        guard let command = try exec.text("command") else {
            throw exec.error("it names no command", "write command: with the plugin's program")
        }
        if try exec.text("interactiveMode") == "Always", let place = exec["interactiveMode"] {
            throw place.error(
                "an agent has nobody to ask", "use a plugin that works without a terminal, or a service account")
        }
        var arguments: [String] = []
        for argument in try exec.list("args") { arguments.append(try argument.text()) }
        var environment: [String: String] = [:]
        for variable in try exec.list("env") {
            guard let name = try variable.text("name") else { continue }
            environment[name] = try variable.text("value") ?? ""
        }
        var info: ExecPlugin.ClusterInfo?
        if try exec.flag("provideClusterInfo") {
            info = ExecPlugin.ClusterInfo(
                server: try cluster.text("server") ?? "", serverName: access.serverName,
                authorities: try access.authorities.map(base64), proxy: try cluster.text("proxy-url"))
        }
        // A name without a slash is looked for in PATH; any other path is meant from the kubeconfig's folder.
        return ExecPlugin(
            apiVersion: version, command: command.contains("/") ? exec.resolve(command) : command, arguments: arguments,
            environment: environment, installHint: try exec.text("installHint") ?? "",
            origin: "\(exec.place): \(exec.path)", cluster: info)
    }

    private static func base64(_ material: ClusterAccess.Material) throws(KubeconfigError) -> String {
        switch material {
        case .data(let bytes): return Data(bytes).base64EncodedString()
        case .file(let path):
            do throws(SystemError) {
                return Data(try FileContent.readRegular(path, limit: KubeconfigNode.limit).bytes).base64EncodedString()
            } catch {
                throw KubeconfigError(
                    file: PrintableName.of(path), problem: "\(error)", fix: "make the file readable")
            }
        }
    }
}
