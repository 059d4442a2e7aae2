import Foundation
import Support

/// The service account that Kubernetes gives each pod.
public enum InClusterAccess {
    /// Where its files are mounted.
    public static let folder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// Whether this process has one. Without `environment` its own variables are looked at.
    public static func isThere(folder: String = folder, environment: [String: String]? = nil) -> Bool {
        (environment ?? ProcessInfo.processInfo.environment)["KUBERNETES_SERVICE_HOST"] != nil
            && FileManager.default.fileExists(atPath: "\(folder)/token")
    }

    /// How to reach the API server with it. Without `environment` the process's own variables are looked at.
    ///
    /// - Throws: when a file or a variable is missing.
    public static func access(
        folder: String = folder, environment: [String: String]? = nil
    ) throws(KubeconfigError) -> ClusterAccess {
        let environment = environment ?? ProcessInfo.processInfo.environment
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let port = Int(environment["KUBERNETES_SERVICE_PORT"] ?? "443"), (1...65_535).contains(port)
        else {
            throw KubeconfigError(
                file: folder, key: "KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT",
                problem: "the variables do not say where the API server is",
                fix: "run the agent in a pod, or give --kubeconfig")
        }
        for name in ["token", "ca.crt"] where !FileManager.default.isReadableFile(atPath: "\(folder)/\(name)") {
            throw KubeconfigError(
                file: "\(folder)/\(name)", problem: "it is not there, or cannot be read",
                fix: "run the agent in a pod with automountServiceAccountToken, or give --kubeconfig")
        }
        return ClusterAccess(
            origin: "the service account in \(folder)", server: ServerURL(host: host, port: port),
            authorities: .file("\(folder)/ca.crt"), serverName: nil, proxy: nil,
            credentials: .tokenFile("\(folder)/token"))
    }
}
