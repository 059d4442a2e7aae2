import Agent
import Glibc

/// The run-time files of an instance.
enum AgentFiles {
    /// The copies of accepted manifests.
    static func lastGood(_ instance: String) throws -> LastGoodFiles {
        guard let paths = InstancePaths(instance: instance) else {
            throw SystemFailure("use instance", instance, code: EINVAL)
        }
        return try LastGoodFiles(folder: paths.lastGood)
    }

    /// Makes the folder of all instances and takes the instance's lock.
    static func lock(_ instance: String) throws -> InstanceLock {
        guard let paths = InstancePaths(instance: instance) else {
            throw SystemFailure("use instance", instance, code: EINVAL)
        }
        guard mkdir(InstancePaths.folder, 0o755) == 0 || errno == EEXIST else {
            throw SystemFailure("make folder", InstancePaths.folder)
        }
        return try InstanceLock(path: paths.lock)
    }
}
