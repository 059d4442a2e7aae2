import Agent
import Datapath
import Foundation

/// What an agent of an instance leaves behind, however it has ended.
package enum InstanceRemains {
    /// Takes away what it has pinned, and the place of its proxy, one of them too where the other cannot be.
    package static func unpin(_ instance: String) throws {
        let pins = Result { _ = try PinPath(instance: instance).removeAll() }
        try ProxyPlace(instance: instance).remove()
        try pins.get()
    }

    /// Takes away its files: all that an agent finds at its next start, or another one of this name would begin with what this one has
    /// learnt.
    package static func removeFiles(_ instance: String) {
        guard let agent = InstancePaths(instance: instance) else { return }
        for path in agent.records + [agent.socket, agent.lock, agent.proxyRules, agent.proxyState, agent.denials] {
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}
