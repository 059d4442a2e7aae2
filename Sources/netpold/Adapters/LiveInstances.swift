import Agent
import Support

/// The instances of this machine that have an agent. A socket file alone says nothing: a killed agent leaves its own.
enum LiveInstances {
    /// Their names, sorted.
    static func names() -> [String] {
        let files = (try? FolderNames.read(InstancePaths.folder)) ?? []
        return files.filter { $0.hasSuffix(".sock") }.map { String($0.dropLast(".sock".count)) }.filter(isLive).sorted()
    }

    private static func isLive(_ instance: String) -> Bool {
        guard let paths = InstancePaths(instance: instance) else { return false }
        return (try? LocalClient(path: paths.socket, timeout: .milliseconds(100))) != nil
    }
}
