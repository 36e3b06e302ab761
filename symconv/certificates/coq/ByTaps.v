(* How a certificate finds what is proved of windows of any number of taps.  Nothing here need be believed. *)
From Symconv Require Export Reads Taps Subgradients.

Ltac by_taps := intros; first
  [ apply first_sum; assumption | apply first_selection; assumption
  | apply split_sum; assumption | apply split_selection; assumption
  | apply first_nonnegative | apply split_nonnegative; assumption
  | apply subgradient; assumption | apply subgradients_add; assumption | apply subdifferential; assumption
  | eapply dead_window; eassumption ].
