import Glibc
internal import Support

/// Keeps netpold in the node's network configuration: a network plugin writes its file anew at each start, and without netpold.
public struct CNIFollower {
    /// What a look at the folders came to.
    public enum Outcome: Hashable, Sendable {
        /// It was put in, a sentence for each step.
        case installed([String])
        /// It cannot be now, for a reason that was not said before.
        case waiting(String)
    }

    private let installer: CNIInstaller
    private let executable: String
    private let options: [String: CNIInstaller.Option]
    /// The folders as they were when all was as it should be.
    private var settled: [String]?
    private var reason = ""

    /// A follower that has looked at nothing yet; the parameters are those of `CNIInstaller.install`.
    public init(_ installer: CNIInstaller, executable: String, options: [String: CNIInstaller.Option]) {
        self.installer = installer
        self.executable = executable
        self.options = options
    }

    /// Looks at the folders, and installs where something in them is other than before.
    ///
    /// - Returns: what happened; `nil` where there is nothing to say.
    public mutating func look() -> Outcome? {
        if let settled, settled == state() { return nil }
        do throws(SystemError) {
            let done = try installer.install(executable: executable, options: options)
            settled = state()
            reason = ""
            return done.isEmpty ? nil : .installed(done)
        } catch {
            settled = nil
            guard reason != "\(error)" else { return nil }
            reason = "\(error)"
            return .waiting(reason)
        }
    }

    /// The files there, with what changes when one of them is written.
    private func state() -> [String] {
        let names = (try? FolderNames.read(installer.configurations).sorted()) ?? []
        let paths = names.map { "\(installer.configurations)/\($0)" } + ["\(installer.plugins)/netpold"]
        return paths.map { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return path }
            return
                "\(path) \(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_mode)"
        }
    }
}
