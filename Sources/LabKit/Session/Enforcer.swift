public import Support

/// What enforces policies in a lab.
public protocol Enforcer: AnyObject {
    /// Brings the policies into force on every pod of the network; returns when they are. `launched` is called with the
    /// number of another process that enforces; removing the lab's folder ends it.
    func start(
        _ plan: LabPlan, _ network: RoutedNetwork, folder: LabFolder, interrupt: Interrupt,
        launched: (Int32) throws -> Void
    ) throws
}

/// Enforces nothing: shows that the network itself lets everything through.
public final class NoEnforcer: Enforcer {
    /// Nothing.
    public init() {}

    /// Does nothing.
    public func start(
        _ plan: LabPlan, _ network: RoutedNetwork, folder: LabFolder, interrupt: Interrupt,
        launched: (Int32) throws -> Void
    ) {}
}
