import Agent
import Datapath

/// What enforces policies in a lab.
protocol Enforcer: AnyObject {
    /// Brings the policies into force on every pod of the network; returns when they are. `launched` is told of another
    /// process that enforces; removing the lab's folder ends it.
    func start(
        _ plan: LabPlan, _ network: RoutedNetwork, folder: LabFolder, interrupt: Interrupt,
        launched: (Int32) throws -> Void
    ) throws
}

/// Enforces nothing: shows that the network itself lets everything through.
final class NoEnforcer: Enforcer {
    func start(
        _ plan: LabPlan, _ network: RoutedNetwork, folder: LabFolder, interrupt: Interrupt,
        launched: (Int32) throws -> Void
    ) {}
}
